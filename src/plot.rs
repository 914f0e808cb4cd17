//! Lines as SVG, drawn on the server: for a rehearsal's report and for the desk's charts.
//!
//! Colours are stand-ins that a page fills in (`var(--ink)`, `var(--c1)`), light or dark.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// In pixels, as is all that follows.
pub const WIDTH: u32 = 520;
pub const HEIGHT: u32 = 200;
/// What lies around the lines.
pub const LEFT: u32 = 46;
pub const RIGHT: u32 = 14;
pub const TOP: u32 = 8;
pub const BOTTOM: u32 = 34;

/// Stand-ins for the page's colours, which take their place in the text of the SVG.
const INK: RGBColor = RGBColor(1, 0, 0);
const GRID: RGBColor = RGBColor(2, 0, 0);
const COLOURS: [RGBColor; LINES_MAX] = [
    RGBColor(3, 0, 1),
    RGBColor(3, 0, 2),
    RGBColor(3, 0, 3),
    RGBColor(3, 0, 4),
    RGBColor(3, 0, 5),
    RGBColor(3, 0, 6),
    RGBColor(3, 0, 7),
    RGBColor(3, 0, 8),
];
/// Lines that one plot can tell apart.
pub const LINES_MAX: usize = 8;

/// A line: its name, and its points from left to right.
pub type Points = (String, Vec<(f64, f64)>);

/// Lines over one axis.
pub struct Plot<'a> {
    pub lines: &'a [Points],
    /// What the lower axis shows.
    pub x_name: &'a str,
    /// Over powers of ten, for times.
    pub logarithmic: bool,
}

/// The stand-in of the colour of a line, by its position.
pub fn colour_of(line: usize) -> String {
    format!("var(--c{})", line + 1)
}

impl Plot<'_> {
    /// A whole SVG file.
    pub fn svg(&self) -> String {
        let mut svg = String::new();
        // Writing into a string does not fail.
        let _ = self.draw_into(&mut svg);
        let mut svg = svg
            .replace("#010000", "var(--ink)")
            .replace("#020000", "var(--grid)");
        for (line, RGBColor(r, g, b)) in COLOURS.into_iter().enumerate() {
            svg = svg.replace(&format!("#{r:02X}{g:02X}{b:02X}"), &colour_of(line));
        }
        // It takes the width that the page gives it.
        let sized = format!("width=\"{WIDTH}\" height=\"{HEIGHT}\"");
        svg.replacen(&sized, "role=\"img\"", 1)
    }

    fn draw_into(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let Self {
            lines,
            x_name,
            logarithmic,
        } = *self;
        let points = || lines.iter().flat_map(|(_, points)| points);
        let (from, to) = points().fold((f64::MAX, f64::MIN), |(from, to), (x, _)| {
            (from.min(*x), to.max(*x))
        });
        let (from, to) = if from < to { (from, to) } else { (0.0, 1.0) };
        let most = points().map(|(_, y)| *y).fold(0.0, f64::max);
        let area = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
        let mut builder = ChartBuilder::on(&area);
        builder
            .margin_right(RIGHT)
            .margin_top(TOP)
            .x_label_area_size(BOTTOM)
            .y_label_area_size(LEFT);
        let axis = ("sans-serif", 12).into_font().color(&INK);
        let centred = axis.pos(Pos::new(HPos::Center, VPos::Top));
        macro_rules! all {
            ($chart:expr, $least:expr) => {{
                let mut chart = $chart;
                chart
                    .configure_mesh()
                    .disable_x_mesh()
                    .axis_style(INK.mix(0.35))
                    .bold_line_style(GRID)
                    .light_line_style(TRANSPARENT)
                    .label_style(axis.clone())
                    .x_desc(x_name)
                    .axis_desc_style(centred)
                    .x_labels(9)
                    .y_labels(5)
                    .x_label_formatter(&|x| short(*x))
                    .y_label_formatter(&|y| short(*y))
                    .draw()?;
                for ((_, points), colour) in lines.iter().zip(COLOURS) {
                    // On a logarithmic scale nothing is no value: the line goes on at the next one.
                    let shown = points.iter().filter(|(_, y)| *y >= $least);
                    let points = shown.map(|(x, y)| (*x, *y));
                    chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
                }
            }};
        }
        if logarithmic {
            let most = most.max(1.0) * 1.3;
            all!(
                builder.build_cartesian_2d(from..to, (0.1..most).log_scale())?,
                0.1
            );
        } else {
            let most = if most > 0.0 { most * 1.08 } else { 1.0 };
            all!(builder.build_cartesian_2d(from..to, 0.0..most)?, 0.0);
        }
        area.present()?;
        Ok(())
    }
}

/// 1,540,000 as 1.54M; no more digits than can be read.
pub fn short(value: f64) -> String {
    let trimmed = |value: f64, unit: &str| {
        let text = format!("{value:.2}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        format!("{text}{unit}")
    };
    match value.abs() {
        size if size >= 1e6 => trimmed(value / 1e6, "M"),
        size if size >= 1e4 => trimmed(value / 1e3, "k"),
        _ => trimmed(value, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown: Vec<_> = [0.0, 0.25, 999.0, 9_999.0, 20_000.0, 1_540_000.0]
            .map(short)
            .to_vec();
        assert_eq!(shown, ["0", "0.25", "999", "9999", "20k", "1.54M"]);
    }
}
