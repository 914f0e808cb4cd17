//! The charts of the board, as SVG files: lines, figures on hover, and words for a screen reader.
//!
//! A chart is drawn when somebody asks and it is older than `KEPT`; until then all share it. Its
//! colours are those of the page that it stands in, and as a file of its own some that can be read
//! on light and on dark.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::clock::tick;
use crate::domain::text::escaped;
use crate::domain::time::{Stamp, Zone};
use crate::plot::{BOTTOM, HEIGHT, LEFT, Plot, Points, RIGHT, TOP, WIDTH, colour_of, short};
use crate::service::Service;
use crate::service::desk::board::door::CLASSES;
use crate::service::desk::board::history::Row;
use crate::sync::locked;
use crate::web::words::{Lang, Value};

/// How long a chart is shared before it is drawn anew.
const KEPT: Duration = Duration::from_secs(5);
/// Figures on hover: more could not be pointed at.
const HOVERS_MAX: usize = 120;
/// Where a page has no colours for it: readable on white and on black.
const OWN: [(&str, &str); 8] = [
    ("ink", "#767676"),
    ("grid", "#8886"),
    ("c1", "#2f7de1"),
    ("c2", "#c8501e"),
    ("c3", "#1f9254"),
    ("c4", "#a05bd0"),
    ("c5", "#b07d12"),
    ("c6", "#d6447f"),
];

/// What a chart shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Which {
    /// Bookings and admitted people a second.
    Bookings,
    /// People who wait, and sessions.
    Waiting,
    /// p99 of answer times by class, in milliseconds.
    Answers,
}

/// How far a chart goes back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Span {
    /// Ten, a value a second.
    Minutes,
    /// Twelve, a value a minute.
    Hours,
}

impl Which {
    pub const ALL: [Self; 3] = [Self::Bookings, Self::Waiting, Self::Answers];

    /// As in an address.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|which| which.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Bookings => "bookings",
            Self::Waiting => "waiting",
            Self::Answers => "answers",
        }
    }

    pub fn title(self, lang: Lang) -> &'static str {
        match self {
            Self::Bookings => lang.say("desk-chart-bookings"),
            Self::Waiting => lang.say("desk-chart-waiting"),
            Self::Answers => lang.say("desk-chart-answers"),
        }
    }

    /// The names of its lines.
    fn lines(self, lang: Lang) -> Vec<String> {
        match self {
            Self::Bookings => vec![
                lang.say("desk-chart-line-bookings").to_owned(),
                lang.say("desk-chart-line-admitted").to_owned(),
            ],
            Self::Waiting => vec![
                lang.say("desk-chart-line-waiting").to_owned(),
                lang.say("desk-chart-line-sessions").to_owned(),
            ],
            Self::Answers => CLASSES.map(str::to_owned).to_vec(),
        }
    }

    /// The values of a row, by line; none where there is none.
    fn values(self, row: &Row) -> Vec<Option<f64>> {
        match self {
            Self::Bookings => vec![Some(row.bookings_per_s), Some(row.admitted_per_s)],
            Self::Waiting => vec![Some(row.waiting as f64), Some(row.sessions as f64)],
            Self::Answers => row.answers.map(|times| Some(times?.p99_ms)).to_vec(),
        }
    }
}

impl Span {
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "minutes" => Some(Self::Minutes),
            "hours" => Some(Self::Hours),
            _ => None,
        }
    }

    /// As in an address.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Hours => "hours",
        }
    }

    /// Rows between two of the table.
    fn table_step(self) -> usize {
        match self {
            Self::Minutes => 60,
            Self::Hours => 30,
        }
    }

    /// Seconds of the unit of the lower axis.
    fn unit_s(self) -> f64 {
        match self {
            Self::Minutes => 60.0,
            Self::Hours => 3_600.0,
        }
    }

    fn axis(self, lang: Lang) -> &'static str {
        match self {
            Self::Minutes => lang.say("desk-chart-minutes"),
            Self::Hours => lang.say("desk-chart-hours"),
        }
    }
}

type Key = (Which, Span, Lang);
/// A chart, and when it was drawn.
type Drawn = (Instant, Arc<[u8]>);

/// The charts that were drawn last.
#[derive(Debug, Default)]
pub struct Charts(Mutex<HashMap<Key, Drawn>>);

impl Charts {
    /// A chart, at most `KEPT` old.
    pub fn drawn(&self, service: &Service, which: Which, span: Span, lang: Lang) -> Arc<[u8]> {
        let mut kept = locked(&self.0);
        if let Some((drawn_at, svg)) = kept.get(&(which, span, lang))
            && drawn_at.elapsed() < KEPT
        {
            return Arc::clone(svg);
        }
        let rows = rows_of(service, span);
        let offers = service.shared.offers();
        let zone = offers.first().map(|offer| &offer.catalog.campaign.zone);
        let svg: Arc<[u8]> = draw(&rows, which, span, lang, zone).into_bytes().into();
        kept.insert((which, span, lang), (tick(), Arc::clone(&svg)));
        svg
    }
}

/// A chart as it is now, for a page: what comes after it is shared.
pub fn draw_now(service: &Service, which: Which, span: Span, lang: Lang) -> String {
    let rows = rows_of(service, span);
    let offers = service.shared.offers();
    let zone = offers.first().map(|offer| &offer.catalog.campaign.zone);
    draw(&rows, which, span, lang, zone)
}

fn rows_of(service: &Service, span: Span) -> Vec<Row> {
    service.desk.board.with_history(|history| match span {
        Span::Minutes => history.seconds.iter().copied().collect(),
        Span::Hours => history.minutes.iter().copied().collect(),
    })
}

/// The figures of the charts as a table, for a reader who sees no lines: the heads of its columns,
/// and its rows with the newest first.
pub fn table(service: &Service, span: Span, lang: Lang) -> (Vec<String>, Vec<Vec<String>>) {
    let rows = rows_of(service, span);
    let offers = service.shared.offers();
    let zone = offers.first().map(|offer| &offer.catalog.campaign.zone);
    let mut heads = vec![lang.say("desk-at").to_owned()];
    for which in Which::ALL {
        let unit = if which == Which::Answers { " ms" } else { "" };
        let lines = which.lines(lang).into_iter();
        heads.extend(lines.map(|line| format!("{line}{unit}")));
    }
    let told = |row: &Row| {
        let values = Which::ALL.into_iter().flat_map(|which| which.values(row));
        let values = values.map(|value| value.map_or_else(|| "–".to_owned(), short));
        std::iter::once(local(row.at, zone)).chain(values).collect()
    };
    let some = rows.iter().rev().step_by(span.table_step());
    (heads, some.map(told).collect())
}

/// Draws a chart of these rows, the oldest first; local times are the zone's, or UTC.
fn draw(rows: &[Row], which: Which, span: Span, lang: Lang, zone: Option<&Zone>) -> String {
    let names = which.lines(lang);
    let end = rows.last().map_or(Stamp::default(), |row| row.at);
    let x = |row: &Row| (row.at.0 - end.0) as f64 / 1e9 / span.unit_s();
    let mut lines: Vec<Points> = names
        .iter()
        .map(|name| (name.clone(), Vec::new()))
        .collect();
    for row in rows {
        for (line, value) in lines.iter_mut().zip(which.values(row)) {
            line.1.extend(value.map(|value| (x(row), value)));
        }
    }
    let plot = Plot {
        lines: &lines,
        x_name: span.axis(lang),
        logarithmic: which == Which::Answers,
    };
    let svg = plot.svg();
    let name = which.name();
    let (head, body) = svg.split_once(">\n").unwrap_or((&svg, ""));
    let mut out = format!(
        "{head} aria-labelledby=\"title-{name} desc-{name}\">\n\
         <title id=\"title-{name}\">{}</title>\n<desc id=\"desc-{name}\">{}</desc>\n",
        escaped(which.title(lang)),
        escaped(&words(rows, which, lang, zone))
    );
    let body = body.strip_suffix("</svg>\n").unwrap_or(body);
    out.push_str(body);
    legend(&mut out, &names);
    hovers(&mut out, rows, which, &names, zone);
    out.push_str("</svg>\n");
    for (name, colour) in OWN {
        out = out.replace(
            &format!("var(--{name})"),
            &format!("var(--{name},{colour})"),
        );
    }
    out
}

/// What the chart shows, in words: each line's last and highest value.
fn words(rows: &[Row], which: Which, lang: Lang, zone: Option<&Zone>) -> String {
    let Some(last) = rows.last() else {
        return lang.say("desk-chart-nothing").to_owned();
    };
    let each = which.lines(lang).into_iter().enumerate();
    let told = each.map(|(line, name)| {
        let values = rows.iter().filter_map(|row| which.values(row)[line]);
        let most = values.fold(0.0, f64::max);
        let now = which.values(last)[line];
        let now = now.map_or_else(|| "–".to_owned(), short);
        let value = |text: String| Value::from(text);
        let values = [
            ("line", value(name)),
            ("now", value(now)),
            ("most", value(short(most))),
        ];
        lang.put("desk-chart-told", &values)
    });
    let time = Value::from(local(last.at, zone));
    let begin = lang.put("desk-chart-until", &[("time", time)]);
    std::iter::once(begin)
        .chain(told)
        .collect::<Vec<_>>()
        .join(" ")
}

/// `20:05:30` of the zone.
fn local(at: Stamp, zone: Option<&Zone>) -> String {
    let text = zone.map_or_else(|| at.instant().to_string(), |zone| zone.rfc3339(at));
    text.get(11..19).unwrap_or_default().to_owned()
}

/// The names of the lines, each in its colour, from the right.
fn legend(out: &mut String, names: &[String]) {
    let mut at = WIDTH - RIGHT;
    for (line, name) in names.iter().enumerate().rev() {
        let colour = colour_of(line);
        let _ = writeln!(
            out,
            "<text x=\"{at}\" y=\"{}\" text-anchor=\"end\" font-size=\"11\" \
             font-family=\"sans-serif\" fill=\"{colour}\">{}</text>",
            TOP + 8,
            escaped(name)
        );
        // Wide letters take 11 pixels, others some 6.
        let width = |letter: char| if letter.is_ascii() { 6 } else { 11 };
        at = at.saturating_sub(12 + name.chars().map(width).sum::<u32>());
    }
}

/// Columns that nobody sees, whose titles are the figures of a time.
fn hovers(out: &mut String, rows: &[Row], which: Which, names: &[String], zone: Option<&Zone>) {
    let each = rows.len().div_ceil(HOVERS_MAX).max(1);
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return;
    };
    let whole = (last.at.0 - first.at.0) as f64;
    if whole <= 0.0 {
        return;
    }
    let wide = f64::from(WIDTH - LEFT - RIGHT);
    let place = |row: &Row| (row.at.0 - first.at.0) as f64 / whole * wide;
    for part in rows.chunks(each) {
        let (Some(from), Some(to)) = (part.first(), part.last()) else {
            continue;
        };
        let width = (place(to) - place(from)).max(wide / rows.len().min(HOVERS_MAX) as f64);
        let mut told = local(to.at, zone);
        for (name, value) in names.iter().zip(which.values(to)) {
            if let Some(value) = value {
                let _ = write!(told, "\n{name}: {}", short(value));
            }
        }
        let _ = writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{}\" \
             fill=\"transparent\"><title>{}</title></rect>",
            f64::from(LEFT) + place(from),
            HEIGHT - TOP - BOTTOM,
            escaped(&told)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::desk::board::history::Times;

    fn rows(count: i64) -> Vec<Row> {
        let row = |second: i64| Row {
            at: Stamp((1_626_692_400 + second) * Stamp::SECOND),
            bookings_per_s: second as f64,
            admitted_per_s: 2.0,
            waiting: 1_000_000,
            sessions: 12,
            answers: [
                Some(Times {
                    p50_ms: 1.0,
                    p99_ms: 7.5,
                }),
                None,
                None,
                None,
                None,
                None,
            ],
        };
        (0..count).map(row).collect()
    }

    fn all(rows: &[Row]) -> Vec<String> {
        let zone = Zone::named("Asia/Seoul").unwrap();
        let mut drawn = Vec::new();
        for which in Which::ALL {
            for span in [Span::Minutes, Span::Hours] {
                let langs = [Lang::KO, Lang::EN].into_iter();
                drawn.extend(langs.map(|lang| draw(rows, which, span, lang, Some(&zone))));
            }
        }
        drawn
    }

    #[test]
    fn a_chart_is_a_file_of_its_own_with_words_and_colours() {
        for count in [0, 1, 2, 600] {
            for svg in all(&rows(count)) {
                let read = roxmltree::Document::parse(&svg).unwrap();
                let root = read.root_element();
                assert_eq!(
                    root.tag_name().namespace(),
                    Some("http://www.w3.org/2000/svg")
                );
                let child = |name: &str| {
                    let mut all = root.children();
                    let found =
                        all.find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", name)));
                    found
                        .and_then(|node| node.text())
                        .unwrap_or_default()
                        .to_owned()
                };
                assert!(!child("title").is_empty() && !child("desc").is_empty());
                assert!(
                    !svg.contains("var(--ink)") && svg.contains("var(--ink,#"),
                    "{svg}"
                );
            }
        }
    }

    #[test]
    fn figures_show_on_hover_and_in_words() {
        let svg = draw(&rows(600), Which::Bookings, Span::Minutes, Lang::EN, None);
        assert_eq!(svg.matches("<rect x=").count(), HOVERS_MAX);
        assert!(svg.contains("11:09:59\n"), "{svg}");
        assert!(svg.contains(": 599"), "the last and the highest");
        let svg = draw(&rows(3), Which::Answers, Span::Minutes, Lang::EN, None);
        assert!(svg.contains("confirm: 7.5"), "{svg}");
        assert!(!svg.contains("poll: 0"), "nothing was answered: {svg}");
        let svg = draw(&[], Which::Waiting, Span::Hours, Lang::EN, None);
        assert!(!svg.contains("<rect x="), "{svg}");
    }
}
