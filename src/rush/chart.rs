//! Charts as SVG, in colours that the page chooses: light or dark.

use crate::domain::text::escaped;
pub use crate::plot::{LINES_MAX, short};
use crate::plot::{Plot, Points, colour_of};

/// More points than this can't be told apart.
const POINTS_MAX: usize = 380;

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
    pub lines: &'a [Points],
}

impl Chart<'_> {
    /// The figure: title, legend and SVG.
    pub fn figure(&self) -> String {
        let seconds = self.lines.iter().map(|line| line.values.len()).max();
        let each = seconds.unwrap_or(0).div_ceil(POINTS_MAX).max(1);
        let lines: Vec<Points> = self
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

fn figure(title: &str, unit: &str, lines: &[Points], svg: &str) -> String {
    let legend: String = lines
        .iter()
        .take(LINES_MAX)
        .enumerate()
        .map(|(at, (name, _))| {
            let (name, colour) = (escaped(name), colour_of(at));
            format!("<span><i style=\"background:{colour}\"></i>{name}</span>")
        })
        .collect();
    let (title, unit) = (escaped(title), escaped(unit));
    format!(
        "<figure><figcaption><b>{title}</b> <small>{unit}</small><div>{legend}</div></figcaption>\
         {svg}</figure>\n"
    )
}

fn draw(lines: &[Points], x_name: &str, logarithmic: bool) -> String {
    let plot = Plot {
        lines,
        x_name,
        logarithmic,
    };
    // Inside a page it needs no name of another place.
    plot.svg()
        .replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1)
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
}
