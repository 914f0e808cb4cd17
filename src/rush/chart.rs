//! Charts as SVG, in colours that the page chooses: light or dark.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::domain::text::escaped;

const WIDTH: u32 = 520;
const HEIGHT: u32 = 200;
/// More points than this can't be told apart.
const POINTS_MAX: usize = 380;

/// Stand-ins for the page's colours, which take their place in the text of the SVG.
const INK: RGBColor = RGBColor(1, 0, 0);
const GRID: RGBColor = RGBColor(2, 0, 0);
const LINES: [(RGBColor, &str); 8] = [
    (RGBColor(3, 0, 1), "var(--c1)"),
    (RGBColor(3, 0, 2), "var(--c2)"),
    (RGBColor(3, 0, 3), "var(--c3)"),
    (RGBColor(3, 0, 4), "var(--c4)"),
    (RGBColor(3, 0, 5), "var(--c5)"),
    (RGBColor(3, 0, 6), "var(--c6)"),
    (RGBColor(3, 0, 7), "var(--c7)"),
    (RGBColor(3, 0, 8), "var(--c8)"),
];
/// Lines that one chart can tell apart.
pub const LINES_MAX: usize = LINES.len();

/// How seconds become one point of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Merge {
    /// Rates: the mean.
    Mean,
    /// Percentiles and gauges: the worst.
    Most,
}

#[derive(Clone, Debug)]
pub struct Series {
    pub name: String,
    /// One value a second.
    pub values: Vec<f64>,
    pub merge: Merge,
}

pub struct Chart<'a> {
    pub title: &'a str,
    pub unit: &'a str,
    pub lines: &'a [Series],
    /// The second that is shown as zero.
    pub zero_s: f64,
    /// Over powers of ten, for times.
    pub logarithmic: bool,
}

/// A line through points of any kind, as in a curve of capacity.
pub struct Curve<'a> {
    pub x_name: &'a str,
    pub unit: &'a str,
    pub lines: &'a [(String, Vec<(f64, f64)>)],
}

impl Chart<'_> {
    /// The figure: title, legend and SVG.
    pub fn figure(&self) -> String {
        let seconds = self.lines.iter().map(|line| line.values.len()).max();
        let each = seconds.unwrap_or(0).div_ceil(POINTS_MAX).max(1);
        let lines: Vec<(String, Vec<(f64, f64)>)> = self
            .lines
            .iter()
            .map(|line| (line.name.clone(), self.points(line, each)))
            .collect();
        let svg = draw(&lines, "seconds from the opening", self.logarithmic);
        figure(self.title, self.unit, &lines, &svg)
    }

    fn points(&self, line: &Series, each: usize) -> Vec<(f64, f64)> {
        let value = |values: &[f64]| match line.merge {
            Merge::Mean => values.iter().sum::<f64>() / values.len() as f64,
            Merge::Most => values.iter().copied().fold(0.0, f64::max),
        };
        let of = line.values.chunks(each).enumerate();
        of.map(|(at, values)| ((at * each) as f64 - self.zero_s, value(values)))
            .collect()
    }
}

impl Curve<'_> {
    pub fn figure(&self, title: &str) -> String {
        let svg = draw(self.lines, self.x_name, false);
        figure(title, self.unit, self.lines, &svg)
    }
}

fn figure(title: &str, unit: &str, lines: &[(String, Vec<(f64, f64)>)], svg: &str) -> String {
    let legend: String = lines
        .iter()
        .zip(LINES)
        .map(|((name, _), (_, colour))| {
            let name = escaped(name);
            format!("<span><i style=\"background:{colour}\"></i>{name}</span>")
        })
        .collect();
    let (title, unit) = (escaped(title), escaped(unit));
    format!(
        "<figure><figcaption><b>{title}</b> <small>{unit}</small><div>{legend}</div></figcaption>\
         {svg}</figure>\n"
    )
}

fn draw(lines: &[(String, Vec<(f64, f64)>)], x_name: &str, logarithmic: bool) -> String {
    let mut svg = String::new();
    // Writing into a string does not fail.
    let _ = draw_into(&mut svg, lines, x_name, logarithmic);
    let mut svg = svg
        .replace("#010000", "var(--ink)")
        .replace("#020000", "var(--grid)");
    for (colour, name) in LINES {
        let RGBColor(r, g, b) = colour;
        svg = svg.replace(&format!("#{r:02X}{g:02X}{b:02X}"), name);
    }
    // It takes the width of the page, and needs no name of another place.
    let sized = format!("width=\"{WIDTH}\" height=\"{HEIGHT}\"");
    let svg = svg.replacen(&sized, "role=\"img\"", 1);
    svg.replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1)
}

fn draw_into(
    svg: &mut String,
    lines: &[(String, Vec<(f64, f64)>)],
    x_name: &str,
    logarithmic: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let (from, to) = points().fold((f64::MAX, f64::MIN), |(from, to), (x, _)| {
        (from.min(*x), to.max(*x))
    });
    let (from, to) = if from < to { (from, to) } else { (0.0, 1.0) };
    let most = points().map(|(_, y)| *y).fold(0.0, f64::max);
    let area = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    let mut builder = ChartBuilder::on(&area);
    builder
        .margin_right(14)
        .margin_top(8)
        .x_label_area_size(34)
        .y_label_area_size(46);
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
            for ((_, points), (colour, _)) in lines.iter().zip(LINES) {
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

    fn line(values: &[f64], merge: Merge) -> Series {
        Series {
            name: "a <line>".to_owned(),
            values: values.to_vec(),
            merge,
        }
    }

    #[test]
    fn a_figure_has_its_line_in_the_pages_colours_and_names_no_other_place() {
        for logarithmic in [false, true] {
            for values in [&[][..], &[1.0], &[0.0, 3.0, 2.0, 1e6]] {
                let lines = [line(values, Merge::Mean)];
                let figure = Chart {
                    title: "A & B",
                    unit: "people",
                    lines: &lines,
                    zero_s: 2.0,
                    logarithmic,
                }
                .figure();
                assert!(figure.contains("A &amp; B") && figure.contains("a &lt;line&gt;"));
                assert!(figure.contains("<svg") && figure.contains("var(--grid)"));
                assert!(!figure.contains("http"), "{figure}");
                let drawn = figure.contains("stroke=\"var(--c1)\"");
                assert!(drawn || values.len() < 2, "{figure}");
            }
        }
    }

    #[test]
    fn many_seconds_are_merged_and_the_worst_is_kept() {
        let mut values = vec![1.0; 5 * POINTS_MAX];
        values[7] = 99.0;
        let chart = |merge| {
            let lines = [line(&values, merge)];
            let chart = Chart {
                title: "",
                unit: "",
                lines: &lines,
                zero_s: 0.0,
                logarithmic: false,
            };
            chart.points(&lines[0], 5)
        };
        let most = chart(Merge::Most);
        assert_eq!((most.len(), most[1]), (POINTS_MAX, (5.0, 99.0)));
        assert!(chart(Merge::Mean)[1].1 < 21.0);
    }

    #[test]
    fn numbers_are_short() {
        let shown: Vec<_> = [0.0, 0.25, 999.0, 9_999.0, 20_000.0, 1_540_000.0]
            .map(short)
            .to_vec();
        assert_eq!(shown, ["0", "0.25", "999", "9999", "20k", "1.54M"]);
    }
}
