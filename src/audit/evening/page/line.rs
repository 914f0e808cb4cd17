//! What was opened, the line, and the waits.

use super::Page;
use super::chart::{At, Chart, Series};
use super::html::{Cell, escaped, facts, table};
use super::words::{between, clock};
use crate::audit::evening::figures::{CohortTold, Minute, Spread};
use crate::domain::text::grouped;
use crate::domain::time::Stamp;

use std::fmt::Write as _;

impl Page<'_> {
    pub(super) fn opened(&self, out: &mut String) {
        let opened = &self.figures.opened;
        self.title(out, "누구에게 무엇을 열었나", "What was opened for whom");
        let cohorts = opened.cohorts.iter().map(|cohort| self.cohort(cohort));
        let cohorts = cohorts.collect::<Vec<_>>().join("; ");
        let digits = match opened.birth_day_last_digits.as_slice() {
            [] => self.say("모든 날", "every day").to_owned(),
            digits => digits
                .iter()
                .map(u8::to_string)
                .collect::<Vec<_>>()
                .join(", "),
        };
        let gate = &opened.gate;
        let minutes = |minutes: u32| Cell::Text(self.language.span(u64::from(minutes) * 60));
        let number = |number: u32| Cell::Text(grouped(number.into()));
        out.push_str(&facts(&[
            (
                self.say("예약 기간", "Open"),
                self.between(&opened.from, &opened.until),
            ),
            (self.say("대상", "For"), Cell::Words(cohorts)),
            (
                self.say("태어난 날의 끝자리", "Last digits of the day of birth"),
                Cell::Text(digits),
            ),
            (
                self.say("순서", "Order"),
                Cell::Text(self.language.name(gate.order).to_owned()),
            ),
            (
                self.say("미리 올 수 있는 시간", "People could come before, for"),
                minutes(gate.lobby_min),
            ),
            (
                self.say("끝나기 전 마지막 입장", "Last entry before the end"),
                minutes(gate.last_entry_min),
            ),
            (
                self.say("끝난 뒤 마칠 시간", "Time to finish after the end"),
                minutes(gate.finish_min),
            ),
            (
                self.say("1초에 들이는 사람", "Let in a second"),
                number(gate.admit_per_s),
            ),
            (
                self.say("동시에 들이는 사람", "In at a time"),
                number(gate.active_max),
            ),
            (
                self.say("시간을 잡아 두는 시간", "A hold lasts"),
                Cell::Text(self.language.span(opened.hold_s.into())),
            ),
        ]));
        let _ = writeln!(
            out,
            "<h3>{}</h3>",
            self.say("규칙의 판", "Versions of the rules")
        );
        let rows = self.figures.rules.iter().map(|rules| {
            let opening = match &rules.opening {
                Some([from, until]) => self.between(from, until),
                None => Cell::Text(self.say("이 판에 없음", "not in this version").to_owned()),
            };
            vec![
                Cell::Number(rules.version.to_string()),
                Cell::Text(clock(&rules.activated_at)),
                Cell::Text(rules.by.clone()),
                opening,
                Cell::Number(grouped(rules.entry)),
                Cell::Code(rules.source_sha256.clone()),
            ]
        });
        let names = [
            self.say("판", "version"),
            self.say("적용", "activated"),
            self.say("누가", "by"),
            self.say("예약 기간", "open"),
            self.say("항목", "entry"),
            self.say("파일의 SHA-256", "SHA-256 of the file"),
        ];
        out.push_str(&table(&names, &rows.collect::<Vec<_>>()));
    }

    fn between(&self, from: &str, until: &str) -> Cell {
        Cell::Text(between(from, until))
    }

    fn cohort(&self, cohort: &CohortTold) -> String {
        let mut told = cohort.id.clone();
        if let Some([first, last]) = &cohort.born {
            let born = self.say("출생", "born");
            told += &format!(" ({born} {first} – {last})");
        }
        if !cohort.groups_any.is_empty() {
            told += &format!(" [{}]", cohort.groups_any.join(", "));
        }
        told
    }

    pub(super) fn numbers(&self, out: &mut String) {
        let numbers = &self.figures.numbers;
        self.title(out, "줄", "The line");
        let count = |count: u64| Cell::Text(grouped(count));
        let at = |at: &Option<String>| Cell::Text(at.as_deref().map_or("–".to_owned(), clock));
        out.push_str(&facts(&[
            (self.say("받은 번호", "Numbers given"), count(numbers.given)),
            (
                self.say("받은 사람", "People who have one"),
                count(numbers.people),
            ),
            (
                self.say("열리기 전에 온 사람", "Came before the opening"),
                count(numbers.before_opening),
            ),
            (
                self.say("열린 뒤에 온 사람", "Came after it opened"),
                count(numbers.after_opening),
            ),
            (
                self.say("첫 번호", "First number at"),
                at(&numbers.first_at),
            ),
            (
                self.say("마지막 번호", "Last number at"),
                at(&numbers.last_at),
            ),
            (
                self.say("부른 번호", "Numbers called, of those that somebody has"),
                count(numbers.called),
            ),
            (
                self.say("부르지 못한 번호", "Numbers not called"),
                count(numbers.never_called),
            ),
            (
                self.say("비어 있는 번호", "Numbers that nobody has"),
                count(numbers.never_given),
            ),
            (
                self.say(
                    "들어와 예약하거나 시간을 잡은 사람",
                    "People who held or booked",
                ),
                count(numbers.acted),
            ),
            (
                self.say(
                    "이 줄의 번호 없이 한 사람 (기존 예약, 다른 줄)",
                    "Did so without a number of this line, with a booking or another line's place",
                ),
                count(numbers.acted_without_number),
            ),
            (
                self.say("불린 뒤 첫 행동까지", "From the call to that"),
                Cell::Words(self.spread(&numbers.call_to_act_s)),
            ),
            (
                self.say(
                    "늦게 와 다음 자리를 기다린 사람, 가장 많을 때",
                    "Came late and waited for the next turn, at the most",
                ),
                count(numbers.late_most),
            ),
        ]));
        self.soft(
            out,
            "비어 있는 번호는 서버가 다시 시작할 때 남은 것이며, 건너뜁니다.",
            "Numbers that nobody has are left by a start of the server, and skipped.",
        );
        let minutes = &self.figures.minutes;
        let (at, filled) = self.at();
        let of = |of: fn(&Minute) -> u64| counts(&filled, of);
        out.push_str("<div class=\"charts\">\n");
        self.chart(
            out,
            &at,
            ("기다리는 사람", "Waiting"),
            ("명", "people"),
            of(|row| row.waiting),
        );
        self.chart(
            out,
            &at,
            ("받은 번호", "Numbers given"),
            self.each(),
            of(|row| row.given),
        );
        out.push_str("</div>\n");
        let rows = minutes
            .iter()
            .filter(|row| row.given + row.waiting > 0)
            .map(|row| {
                vec![
                    Cell::Text(clock(&row.at)),
                    Cell::Number(grouped(row.given)),
                    Cell::Number(grouped(row.serving)),
                    Cell::Number(grouped(row.waiting)),
                ]
            });
        let names = [
            self.say("시각", "time"),
            self.say("받은 번호", "given"),
            self.say("부른 번호", "called up to"),
            self.say("기다리는 사람", "waiting"),
        ];
        self.details(out, &names, rows.collect());
    }

    pub(super) fn waits(&self, out: &mut String) {
        let waits = &self.figures.waits;
        self.title(out, "안내한 대기와 실제 대기", "Waits told, and waits had");
        self.soft(
            out,
            "번호를 받은 때부터 불릴 때까지입니다. 1분에 한 번 기록한 안내와, 그 앞뒤 1분 30초 안에 온 \
             사람의 실제 대기를 견줍니다. 일시 정지한 시간은 안내에 없으므로 뺍니다.",
            "From when a number was given to when it was called. What was told is on record once a \
             minute, and is compared with the waits of those who came within a minute and a half \
             of it. Pauses are left out, for nobody was told of them before.",
        );
        let count = |count: u64| Cell::Text(grouped(count));
        out.push_str(&facts(&[
            (
                self.say("실제 대기", "Waits had"),
                Cell::Words(self.spread(&waits.had_s)),
            ),
            (
                self.say("일시 정지를 뺀 대기", "Without pauses"),
                Cell::Words(self.spread(&waits.had_without_pauses_s)),
            ),
            (
                self.say("견준 사람", "People compared"),
                count(waits.compared),
            ),
            (
                self.say(
                    "견주지 않은 사람 (열리기 전이나 일시 정지 중에 와서 대기 안내를 받지 않음)",
                    "Not compared: came before the opening or in a pause, and were told no wait",
                ),
                count(waits.untold),
            ),
            (
                self.say("안내한 범위 안", "Within what was told"),
                count(waits.within),
            ),
            (self.say("더 짧았음", "Shorter"), count(waits.shorter)),
            (self.say("더 길었음", "Longer"), count(waits.longer)),
        ]));
        let minutes = &self.figures.minutes;
        let (at, filled) = self.at();
        let of = |of: &dyn Fn(&Minute) -> Option<u64>| {
            let values = filled
                .iter()
                .map(|row| of((*row)?).map(|seconds| seconds / 60));
            values.collect::<Vec<_>>()
        };
        let chart = Chart {
            title: self.say("대기 시간", "Waits"),
            unit: self.say(
                "분, 번호를 받은 시각별",
                "minutes, by when the number was given",
            ),
            label: self.say("대기 시간", "Waits").to_owned(),
            at: &at,
            lines: vec![
                Series {
                    name: self.say("안내: 가장 짧게", "told: least"),
                    values: of(&|row| row.told_s.map(|told| told[0])),
                },
                Series {
                    name: self.say("안내: 가장 길게", "told: most"),
                    values: of(&|row| row.told_s.map(|told| told[1])),
                },
                Series {
                    name: self.say("실제 (중앙값)", "had (middle one)"),
                    values: of(&|row| row.had_s),
                },
            ],
            is_range: true,
        };
        out.push_str(&chart.figure());
        let span = |seconds: Option<u64>| {
            let told = seconds.map_or("–".to_owned(), |seconds| self.language.span(seconds));
            Cell::Number(told)
        };
        let is_told = |row: &&Minute| row.told_s.is_some() || row.had_s.is_some();
        let rows = minutes.iter().filter(is_told).map(|row| {
            vec![
                Cell::Text(clock(&row.at)),
                span(row.told_s.map(|told| told[0])),
                span(row.told_s.map(|told| told[1])),
                span(row.had_s),
                Cell::Text(
                    row.because
                        .map_or("", |because| self.language.name(because))
                        .to_owned(),
                ),
            ]
        });
        let names = [
            self.say("시각", "time"),
            self.say("안내: 가장 짧게", "told: least"),
            self.say("안내: 가장 길게", "told: most"),
            self.say("실제 (중앙값)", "had (middle one)"),
            self.say("까닭", "because"),
        ];
        self.details(out, &names, rows.collect());
    }

    /// How a quantity of seconds is spread, in one line.
    fn spread(&self, spread: &Spread) -> String {
        if spread.count == 0 {
            return "–".to_owned();
        }
        let names = [
            (self.say("10 %", "10 %"), spread.p10),
            (self.say("절반", "half"), spread.p50),
            (self.say("90 %", "90 %"), spread.p90),
            (self.say("99 %", "99 %"), spread.p99),
            (self.say("가장 김", "longest"), spread.most),
        ];
        let part = |(name, seconds): (&str, u64)| {
            let told = format!("{name}: {}", self.language.span(seconds));
            // The parts stay whole where a line is broken.
            told.replace(' ', "\u{a0}")
        };
        names.map(part).join(" · ")
    }

    /// The rows for charts, each with its time. Where quiet rows are left out, the first and the
    /// last of them stand for all: a line must not run over them.
    pub(super) fn at(&self) -> (Vec<At>, Vec<Option<&Minute>>) {
        let minutes = |row: &Minute| {
            let at = Stamp::parse(&row.at).unwrap_or_default();
            at.unix_s().div_euclid(60)
        };
        let step = i64::from(self.figures.span.row_min);
        let (mut times, mut rows) = (Vec::new(), Vec::new());
        let mut add = |minutes: i64, row: Option<&'_ Minute>| {
            let clock = row.and_then(|row| row.at.get(11..16)).unwrap_or_default();
            let clock = clock.to_owned();
            times.push(At { minutes, clock });
        };
        let mut before: Option<i64> = None;
        for row in &self.figures.minutes {
            let at = minutes(row);
            if let Some(before) = before.filter(|before| at - before > step) {
                for quiet in [before + step, at - step] {
                    add(quiet, None);
                    rows.push(None);
                }
            }
            add(at, Some(row));
            rows.push(Some(row));
            before = Some(at);
        }
        (times, rows)
    }

    /// The unit of what is counted in each row.
    pub(super) fn each(&self) -> (&'static str, &'static str) {
        match self.figures.span.row_min {
            1 => ("1분에", "a minute"),
            _ => ("표의 한 줄에", "a row of the table"),
        }
    }

    /// A chart of one line.
    pub(super) fn chart(
        &self,
        out: &mut String,
        at: &[At],
        title: (&str, &str),
        unit: (&str, &str),
        values: Vec<Option<u64>>,
    ) {
        let (title, unit) = (self.say(title.0, title.1), self.say(unit.0, unit.1));
        let most = values.iter().flatten().max().copied().unwrap_or(0);
        let most = grouped(most);
        let label = format!(
            "{title}, {unit}; {} {most}",
            self.say("가장 많을 때", "at the most")
        );
        let lines = vec![Series {
            name: title,
            values,
        }];
        let chart = Chart {
            title,
            unit,
            label,
            at,
            lines,
            is_range: false,
        };
        out.push_str(&chart.figure());
    }

    /// The figures of a chart as a table, which is opened when it is wanted.
    pub(super) fn details(&self, out: &mut String, names: &[&str], rows: Vec<Vec<Cell>>) {
        let count = grouped(rows.len() as u64);
        let name = self.say("숫자로 보기", "The figures");
        let row = self.say("줄", "rows");
        let _ = writeln!(
            out,
            "<details><summary>{} ({count} {row})</summary>",
            escaped(name)
        );
        out.push_str(&table(names, &rows));
        out.push_str("</details>\n");
    }
}

/// What was counted in each row; nothing in a quiet one.
pub(super) fn counts(rows: &[Option<&Minute>], of: fn(&Minute) -> u64) -> Vec<Option<u64>> {
    rows.iter().map(|row| Some(row.map_or(0, of))).collect()
}
