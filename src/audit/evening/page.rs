//! The page of an evening: all of it in one file that needs nothing else, no script and no network.
//!
//! It is drawn from the figures and the heads alone, so that whoever has the entries draws it again
//! and compares. A change of a word or a figure needs another `FORM`
//! (`the_pages_of_a_form_have_the_bytes_that_are_kept`).

mod chart;
mod happened;
mod html;
mod line;
mod words;

use std::fmt::Write as _;

use super::figures::{DrawTold, Figures};
use super::{Heads, PAGE, PAGE_EN};
use crate::domain::text::grouped;
use html::escaped;
pub(super) use words::Language;
use words::{between, clock};

const STYLE: &str = include_str!("page.css");

/// The whole page in a language.
pub(super) fn page(figures: &Figures, heads: &Heads, language: Language) -> String {
    let page = Page { figures, language };
    let title = page.say("예약 오픈의 증거 기록", "Evidence of an opening");
    let name = page.say(&figures.campaign.name_ko, &figures.campaign.name_en);
    let (name, title) = (escaped(name), escaped(title));
    let (other, other_tag, other_name) = match language {
        Language::Korean => (PAGE_EN, "en", "English"),
        Language::English => (PAGE, "ko", "한국어"),
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'\">\n<title>{title} – {name}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<p><a href=\"{other}\" lang=\"{other_tag}\" \
         hreflang=\"{other_tag}\">{other_name}</a></p>\n<h1>{title}<br>{name}</h1>\n",
        page.say("ko", "en")
    );
    page.head(&mut out);
    page.tiles(&mut out);
    page.found(&mut out);
    page.opened(&mut out);
    page.numbers(&mut out);
    page.waits(&mut out);
    page.draws(&mut out);
    page.bookings(&mut out);
    page.refusals(&mut out);
    page.acts(&mut out);
    page.controller(&mut out);
    page.happenings(&mut out);
    page.heads(&mut out, heads);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// What is drawn, and in which language.
struct Page<'a> {
    figures: &'a Figures,
    language: Language,
}

/// Something that was looked for, and whether all is well with it.
struct Found {
    is_well: bool,
    told: String,
}

impl Page<'_> {
    fn say<'t>(&self, korean: &'t str, english: &'t str) -> &'t str {
        self.language.pick(korean, english)
    }

    fn title(&self, out: &mut String, korean: &str, english: &str) {
        let _ = writeln!(out, "<h2>{}</h2>", escaped(self.say(korean, english)));
    }

    fn soft(&self, out: &mut String, korean: &str, english: &str) {
        let text = escaped(self.say(korean, english));
        let _ = writeln!(out, "<p class=\"soft\">{text}</p>");
    }

    fn head(&self, out: &mut String) {
        let figures = self.figures;
        let zone = &figures.campaign.zone;
        let told = format!(
            "{} ({zone})",
            between(&figures.opened.from, &figures.opened.until)
        );
        let _ = writeln!(out, "<p><b>{}</b></p>", escaped(&told));
        let entries = [figures.span.first_entry, figures.span.last_entry].map(grouped);
        let told = match self.language {
            Language::Korean => format!(
                "이 기록의 모든 숫자는 저널의 항목에서 계산한 것입니다. 저녁의 항목은 {}번부터 {}번까지이며, \
                 {}부터 {}까지입니다. 이름과 전화번호는 없습니다.",
                entries[0],
                entries[1],
                clock(&figures.span.from),
                clock(&figures.span.last_stamp)
            ),
            Language::English => format!(
                "Every figure here was worked out from the entries of the journal. Those of the \
                 evening are {} to {}, from {} to {}. There are no names and no telephone numbers \
                 in it.",
                entries[0],
                entries[1],
                clock(&figures.span.from),
                clock(&figures.span.last_stamp)
            ),
        };
        let _ = writeln!(out, "<p class=\"soft\">{}</p>", escaped(&told));
        if figures.so_far {
            let told = self.say(
                "아직 끝나지 않은 저녁입니다. 지금까지의 항목만 담았습니다.",
                "This evening is not over: these are its entries so far.",
            );
            let _ = writeln!(out, "<p class=\"note\">{}</p>", escaped(told));
        }
        if figures.journal.simulated_clock {
            let told = self.say(
                "연습용 저널입니다. 시각은 실제 시각이 아닙니다.",
                "This is a rehearsal's journal: its times are not real.",
            );
            let _ = writeln!(out, "<p class=\"note\">{}</p>", escaped(told));
        }
    }

    fn tiles(&self, out: &mut String) {
        let figures = self.figures;
        let waiting = figures.minutes.iter().map(|minute| minute.waiting).max();
        let within = match figures.waits.compared {
            0 => "–".to_owned(),
            compared => {
                let tenths = figures.waits.within * 1_000 / compared;
                format!("{}.{} %", tenths / 10, tenths % 10)
            }
        };
        let tiles = [
            (
                grouped(figures.numbers.given),
                self.say("번호를 받은 수", "numbers given"),
            ),
            (
                grouped(figures.bookings.booked),
                self.say("예약", "bookings"),
            ),
            (
                grouped(figures.bookings.best_minute_booked),
                self.say("가장 많았던 1분의 예약", "bookings in the best minute"),
            ),
            (
                grouped(waiting.unwrap_or(0)),
                self.say("가장 길었던 대기 인원", "waited at the most"),
            ),
            (
                self.language.span(figures.waits.had_s.p50),
                self.say("대기 시간의 중앙값", "the middle one of the waits"),
            ),
            (
                within,
                self.say("안내한 범위 안의 대기", "waits within what was told"),
            ),
        ];
        out.push_str("<div class=\"tiles\">");
        for (figure, name) in tiles {
            let (figure, name) = (escaped(&figure), escaped(name));
            let _ = write!(out, "<div><b>{figure}</b><small>{name}</small></div>");
        }
        out.push_str("</div>\n");
    }

    /// What the entries were searched for.
    fn found(&self, out: &mut String) {
        self.title(out, "확인한 것", "What was looked for");
        out.push_str("<ul class=\"found\">\n");
        for found in self.findings() {
            let class = if found.is_well { "" } else { " class=\"bad\"" };
            let _ = writeln!(out, "<li{class}>{}</li>", escaped(&found.told));
        }
        out.push_str("</ul>\n");
    }

    fn findings(&self) -> Vec<Found> {
        let numbers = &self.figures.numbers;
        let none = |count: u64, korean: (&str, &str), english: (&str, &str)| {
            let told = match (self.language, count) {
                (Language::Korean, 0) => korean.0.to_owned(),
                (Language::English, 0) => english.0.to_owned(),
                (Language::Korean, count) => korean.1.replace("{}", &grouped(count)),
                (Language::English, count) => english.1.replace("{}", &grouped(count)),
            };
            Found {
                is_well: count == 0,
                told,
            }
        };
        let starts = self.figures.happenings.iter();
        let crashes = starts
            .filter(|seen| seen.what == "started_after_crash")
            .count() as u64;
        let clocks = self.figures.happenings.iter();
        let clocks = clocks.filter(|seen| seen.what.starts_with("clock")).count() as u64;
        let mut all = vec![
            none(
                numbers.twice,
                (
                    "두 사람이 받은 번호가 없습니다.",
                    "두 사람이 받은 번호: {}개.",
                ),
                (
                    "No number was given to two people.",
                    "Numbers that were given to two people: {}.",
                ),
            ),
            none(
                numbers.serving_went_back,
                (
                    "번호는 작은 수부터 차례로 불렀습니다.",
                    "앞서 부른 번호보다 작은 번호를 부른 횟수: {}번.",
                ),
                (
                    "Numbers were called in ascending order.",
                    "Times that a lower number than one before was called: {}.",
                ),
            ),
            none(
                numbers.acted_before_call,
                (
                    "번호를 부르기 전에 예약 화면에 들어온 사람이 없습니다.",
                    "번호를 부르기 전에 예약하거나 시간을 잡은 사람: {}명.",
                ),
                (
                    "Nobody held or booked before their number was called.",
                    "People who held or booked before their number was called: {}.",
                ),
            ),
        ];
        let faulty = |draw: &&DrawTold| {
            !draw.in_time || draw.early > 0 || draw.plans.iter().any(|plan| !plan.by_rule)
        };
        if !self.figures.draws.is_empty() {
            let faulty = self.figures.draws.iter().filter(faulty).count() as u64;
            all.push(none(
                faulty,
                (
                    "추첨의 씨앗은 아무도 오기 전에 정해졌고, 다시 추첨해도 같습니다.",
                    "규칙과 다른 추첨: {}건.",
                ),
                (
                    "The seed of the draw was fixed before anybody could come, and drawn again it \
                     gives the same.",
                    "Draws that are not as the rule says: {}.",
                ),
            ));
        }
        all.push(none(
            crashes,
            (
                "서버가 갑자기 멈춘 적이 없습니다.",
                "정상 종료의 기록 없이 서버가 다시 시작한 횟수: {}번.",
            ),
            (
                "The server never died.",
                "Starts of the server without a stop in order on record before: {}.",
            ),
        ));
        all.push(none(
            self.figures.out_of_service_s,
            (
                "예약 시간 내내 서버가 있었습니다.",
                "예약 시간에 서버가 없던 시간: {}초.",
            ),
            (
                "A server was there throughout the opening, as far as it is on record.",
                "Seconds of the opening in which no server was there: {}.",
            ),
        ));
        all.push(none(
            clocks,
            (
                "시계가 바뀐 적이 없습니다.",
                "시계가 바뀐 횟수: {}번. 서버는 따르지 않았습니다.",
            ),
            (
                "The clock did not step.",
                "Steps of the clock, which the server did not follow: {}.",
            ),
        ));
        all
    }
}
