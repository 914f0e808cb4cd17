//! Charts over the time of an evening, as SVG in whole numbers: the same figures give the same
//! bytes everywhere. Colours are the page's.

use std::fmt::Write as _;

use super::html::escaped;

const WIDTH: i64 = 320;
const HEIGHT: i64 = 180;
const LEFT: i64 = 44;
const RIGHT: i64 = 310;
const TOP: i64 = 12;
const BOTTOM: i64 = 154;
/// Steps of the other axis at the most.
const STEPS_MAX: u64 = 5;
/// Steps of the time axis, in minutes.
const STEPS_MIN: [i64; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720];
/// What a name on the time axis takes, as `20:05`.
const NAME_WIDTH: i64 = 38;
/// Names on the time axis at the most.
const NAMES_MAX: usize = 5;

/// A point of time: in minutes, and the local time as `20:05`; empty where it is not named.
pub(super) struct At {
    pub minutes: i64,
    pub clock: String,
}

/// A line of a chart, one value for each point of time; where there is none the line is cut.
pub(super) struct Series<'a> {
    pub name: &'a str,
    pub values: Vec<Option<u64>>,
}

pub(super) struct Chart<'a> {
    pub title: &'a str,
    pub unit: &'a str,
    /// What it shows, for who can't see it.
    pub label: String,
    pub at: &'a [At],
    pub lines: Vec<Series<'a>>,
    /// The first two lines are the ends of a range, which is filled.
    pub is_range: bool,
}

impl Chart<'_> {
    pub fn figure(&self) -> String {
        let mut out = format!(
            "<figure><figcaption>{} <small>{}</small>",
            escaped(self.title),
            escaped(self.unit)
        );
        let named = self
            .lines
            .iter()
            .enumerate()
            .filter(|_| self.lines.len() > 1);
        for (at, line) in named {
            let name = escaped(line.name);
            let _ = write!(
                out,
                "<span><svg class=\"key\" viewBox=\"0 0 30 6\"><line x1=\"0\" x2=\"30\" y1=\"3\" \
                 y2=\"3\" style=\"{}\"/></svg>{name}</span>",
                self.stroke(at)
            );
        }
        let _ = write!(
            out,
            "</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-label=\"{}\">\n",
            escaped(&self.label)
        );
        self.draw(&mut out);
        out.push_str("</svg></figure>\n");
        out
    }

    /// Each line has its colour. The ends of a range are dashed, each in its own way, so that they
    /// are told apart without colours too.
    fn stroke(&self, line: usize) -> String {
        let dashes = match line {
            0 if self.is_range => ";stroke-dasharray:2 3",
            1 if self.is_range => ";stroke-dasharray:8 3",
            _ => "",
        };
        format!("stroke:var(--c{}){dashes}", line + 1)
    }

    fn draw(&self, out: &mut String) {
        let values = self
            .lines
            .iter()
            .flat_map(|line| line.values.iter().flatten());
        let (top, step) = scale(values.copied().max().unwrap_or(0));
        for at in 0..=top / step {
            let (value, y) = (at * step, y_of(at * step, top));
            let _ = writeln!(
                out,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y}\" y2=\"{y}\"/>\
                 <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                LEFT - 6,
                y + 4,
                short(value)
            );
        }
        self.name_times(out);
        if let (true, [least, most, ..]) = (self.is_range, self.lines.as_slice()) {
            self.band(out, least, most, top);
        }
        for (at, line) in self.lines.iter().enumerate() {
            let stroke = self.stroke(at);
            for run in self.runs(&line.values) {
                let points: Vec<String> = run
                    .iter()
                    .map(|(x, value)| format!("{x},{}", y_of(*value, top)))
                    .collect();
                let points = points.join(" ");
                let _ = writeln!(out, "<polyline points=\"{points}\" style=\"{stroke}\"/>");
            }
        }
    }

    /// The points of a line, cut where it has no value. A point alone becomes a short stroke.
    fn runs(&self, values: &[Option<u64>]) -> Vec<Vec<(i64, u64)>> {
        let mut runs = vec![Vec::new()];
        for (at, value) in self.at.iter().zip(values) {
            match (value, runs.last_mut()) {
                (Some(value), Some(run)) => run.push((self.x_of(at.minutes), *value)),
                _ => runs.push(Vec::new()),
            }
        }
        runs.retain(|run| !run.is_empty());
        for run in &mut runs {
            if let [(x, value)] = run[..] {
                run.push((x + 2, value));
            }
        }
        runs
    }

    fn band(&self, out: &mut String, least: &Series, most: &Series, top: u64) {
        let (below, above) = (self.runs(&least.values), self.runs(&most.values));
        for (below, above) in below.iter().zip(&above) {
            let points = above.iter().chain(below.iter().rev());
            let points: Vec<String> = points
                .map(|(x, value)| format!("{x},{}", y_of(*value, top)))
                .collect();
            let points = points.join(" ");
            let _ = writeln!(
                out,
                "<polygon class=\"band\" points=\"{points}\" style=\"fill:var(--c1)\"/>"
            );
        }
    }

    fn x_of(&self, minutes: i64) -> i64 {
        let first = self.at.first().map_or(0, |at| at.minutes);
        let last = self.at.last().map_or(0, |at| at.minutes).max(first + 1);
        LEFT + (minutes - first) * (RIGHT - LEFT) / (last - first)
    }

    fn name_times(&self, out: &mut String) {
        let span = match self.at {
            [first, .., last] => last.minutes - first.minutes,
            _ => 0,
        };
        let fits = |step: &&i64| span / **step < NAMES_MAX as i64;
        let step = STEPS_MIN.iter().find(fits);
        // Full hours where there are some; of a longer time some rows, evenly.
        let named: Vec<&At> = match step {
            Some(step) => self
                .at
                .iter()
                .filter(|at| !at.clock.is_empty() && at.minute_of_day() % step == 0)
                .collect(),
            None => self
                .at
                .iter()
                .step_by(self.at.len().div_ceil(NAMES_MAX).max(1))
                .collect(),
        };
        for at in named {
            // The last name stays whole at the edge.
            let x = self.x_of(at.minutes).min(WIDTH - NAME_WIDTH / 2);
            let clock = escaped(&at.clock);
            let _ = writeln!(
                out,
                "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{clock}</text>",
                BOTTOM + 18
            );
        }
    }
}

impl At {
    fn minute_of_day(&self) -> i64 {
        let part = |range: std::ops::Range<usize>| {
            let digits = self.clock.get(range)?;
            digits.parse::<i64>().ok()
        };
        part(0..2).unwrap_or(0) * 60 + part(3..5).unwrap_or(0)
    }
}

fn y_of(value: u64, top: u64) -> i64 {
    let height = (BOTTOM - TOP) as u128;
    let part = u128::from(value) * height / u128::from(top.max(1));
    BOTTOM - part as i64
}

/// The top of the scale, and its steps: 1, 2 or 5 times a power of ten, five of them at the most.
fn scale(most: u64) -> (u64, u64) {
    let mut step: u64 = 1;
    for factor in [2, 5, 2].into_iter().cycle() {
        if most.div_ceil(step) <= STEPS_MAX {
            break;
        }
        // 1, 2, 5, 10, …: from 2 to 5 it is two and a half times.
        step = if factor == 5 { step / 2 * 5 } else { step * 2 };
    }
    (most.div_ceil(step).max(1) * step, step)
}

/// 1,540,000 as 1.54M.
fn short(value: u64) -> String {
    let part = |unit: u64, name: &str| {
        let (whole, hundredths) = (value / unit, value % unit * 100 / unit);
        let text = format!("{whole}.{hundredths:02}");
        format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match value {
        0..10_000 => value.to_string(),
        10_000..1_000_000 => part(1_000, "k"),
        _ => part(1_000_000, "M"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_above_the_most_and_has_few_steps() {
        for most in [
            0,
            1,
            4,
            5,
            9,
            10,
            41,
            280,
            999,
            16_800,
            1_540_000,
            u64::from(u32::MAX),
        ] {
            let (top, step) = scale(most);
            assert!(
                top >= most && top % step == 0 && top / step <= STEPS_MAX,
                "{most}: {top} {step}"
            );
            let head = step.to_string();
            assert!(
                ["1", "2", "5"].contains(&head.trim_end_matches('0')),
                "{step}"
            );
        }
        assert_eq!(
            [9_999, 16_800, 1_540_000].map(short),
            ["9999", "16.8k", "1.54M"]
        );
    }

    #[test]
    fn a_line_is_cut_where_it_has_no_value_and_stays_within_the_figure() {
        let at: Vec<At> = (0..4)
            .map(|minutes| At {
                minutes,
                clock: format!("20:0{minutes}"),
            })
            .collect();
        let chart = Chart {
            title: "A & B",
            unit: "<people>",
            label: "\"".to_owned(),
            at: &at,
            lines: vec![Series {
                name: "one",
                values: vec![Some(1), None, Some(7), Some(3)],
            }],
            is_range: false,
        };
        let figure = chart.figure();
        assert_eq!(figure.matches("<polyline").count(), 2, "{figure}");
        assert!(figure.contains("A &amp; B") && figure.contains("&lt;people&gt;"));
        assert!(
            figure.contains(">20:00<") && figure.contains(">20:03<"),
            "{figure}"
        );
        assert!(!figure.contains("http"));
    }

    /// The clock at the end of the axis lost its last digit.
    #[test]
    fn the_last_name_of_the_time_axis_stays_within_the_figure() {
        let at = ["20:00", "20:01"].map(|clock| At {
            minutes: clock[3..].parse().unwrap(),
            clock: clock.to_owned(),
        });
        let chart = Chart {
            title: "A",
            unit: "people",
            label: String::new(),
            at: &at,
            lines: Vec::new(),
            is_range: false,
        };
        let figure = chart.figure();
        let last = figure.split("<text ").last().unwrap();
        assert!(last.contains(">20:01<"), "{figure}");
        let x: i64 = last.split('"').nth(1).unwrap().parse().unwrap();
        assert!(x + NAME_WIDTH / 2 <= WIDTH, "{figure}");
    }

    #[test]
    fn the_ends_of_a_range_and_what_was_had_are_three_lines_to_be_told_apart() {
        let at = ["20:00", "20:01"].map(|clock| At {
            minutes: clock[3..].parse().unwrap(),
            clock: clock.to_owned(),
        });
        let line = |name, value| Series {
            name,
            values: vec![Some(value), Some(value)],
        };
        let chart = Chart {
            title: "Waits",
            unit: "minutes",
            label: "Waits".to_owned(),
            at: &at,
            lines: vec![line("least", 1), line("most", 9), line("had", 4)],
            is_range: true,
        };
        let figure = chart.figure();
        // Each stroke is in the names and in the drawing.
        for stroke in [
            "\"stroke:var(--c1);stroke-dasharray:2 3\"",
            "\"stroke:var(--c2);stroke-dasharray:8 3\"",
            "\"stroke:var(--c3)\"",
        ] {
            assert_eq!(figure.matches(stroke).count(), 2, "{stroke}: {figure}");
        }
    }
}
