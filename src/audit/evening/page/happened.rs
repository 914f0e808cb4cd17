//! Draws, bookings, refusals, acts, the controller, the server, and the proof.

use std::fmt::Write as _;

use super::html::{Cell, escaped, facts, table};
use super::line::counts;
use super::words::{between, clock};
use super::{Language, Page};
use crate::audit::KeptHead;
use crate::audit::evening::figures::DrawTold;
use crate::audit::evening::{ENTRIES, FIGURES, HEADS, Heads, SIGNATURE, SUMS};
use crate::domain::text::grouped;

impl Page<'_> {
    pub(super) fn draws(&self, out: &mut String) {
        if self.figures.draws.is_empty() {
            return;
        }
        self.title(out, "추첨", "The draw");
        self.soft(
            out,
            "씨앗의 SHA-256을 아무도 오기 전에 저널에 적고, 열릴 때 씨앗을 밝힙니다. 사람의 제비는 \
             SHA-256(\"sumun draw v1\" ‖ 씨앗 ‖ 사람의 가명)의 앞 8바이트이며, 작은 순서로 번호를 \
             받습니다. 공개 값이 있으면 씨앗 대신 SHA-256(\"sumun draw value v1\" ‖ 씨앗 ‖ 값)을 씁니다.",
            "The SHA-256 of the seed was journalled before anybody could come, and the seed was \
             shown at the opening. A person's lot is the first eight bytes of \
             SHA-256(\"sumun draw v1\" ‖ seed ‖ pseudonym), and numbers go by ascending lot. With \
             a public value, \
             SHA-256(\"sumun draw value v1\" ‖ seed ‖ value) takes the seed's place.",
        );
        for draw in &self.figures.draws {
            self.draw_told(out, draw);
        }
    }

    fn draw_told(&self, out: &mut String, draw: &DrawTold) {
        let code = |hex: &Option<String>| match hex {
            Some(hex) => Cell::Code(hex.clone()),
            None => Cell::Text("–".to_owned()),
        };
        let in_time = if draw.in_time {
            self.say("아무도 오기 전", "before anybody could come")
        } else {
            self.say(
                "늦음: 사람들이 올 수 있게 된 뒤",
                "too late: people could come already",
            )
        };
        let value = match (&draw.value, &draw.value_source) {
            (Some(value), Some(source)) => format!("{value} ({source})"),
            _ => self.say("없음", "none").to_owned(),
        };
        out.push_str(&facts(&[
            (
                self.say("씨앗의 SHA-256", "SHA-256 of the seed"),
                Cell::Code(draw.commitment.clone()),
            ),
            (
                self.say("적은 때", "Committed to"),
                Cell::Text(format!("{}, {in_time}", clock(&draw.committed_at))),
            ),
            (self.say("씨앗", "Seed"), code(&draw.seed)),
            (self.say("공개 값", "Public value"), Cell::Words(value)),
            (
                self.say("추첨한 사람", "People drawn"),
                Cell::Text(grouped(draw.people)),
            ),
            (
                self.say(
                    "‘번호 가명’ 목록의 SHA-256",
                    "SHA-256 of the list of numbers and pseudonyms",
                ),
                code(&draw.drawn_sha256),
            ),
            (
                self.say(
                    "시간대 전에 번호를 받은 사람",
                    "Had a number before their window",
                ),
                Cell::Text(grouped(draw.early)),
            ),
        ]));
        if draw.plans.is_empty() {
            return;
        }
        let rows = draw.plans.iter().map(|plan| {
            let by_rule = if plan.by_rule {
                self.say("규칙대로", "as the rule says")
            } else {
                self.say("규칙과 다름", "NOT as the rule says")
            };
            vec![
                Cell::Text(clock(&plan.from)),
                Cell::Number(plan.windows.to_string()),
                Cell::Number(self.language.span(plan.window_s.into())),
                Cell::Number(grouped(plan.people)),
                Cell::Code(plan.first_lot.clone()),
                Cell::Text(by_rule.to_owned()),
            ]
        });
        let names = [
            self.say("첫 시간대", "first window"),
            self.say("시간대 수", "windows"),
            self.say("길이", "length"),
            self.say("사람", "people"),
            self.say("첫 제비", "first lot"),
            self.say("확인", "checked"),
        ];
        out.push_str(&table(&names, &rows.collect::<Vec<_>>()));
    }

    pub(super) fn bookings(&self, out: &mut String) {
        let bookings = &self.figures.bookings;
        self.title(out, "예약", "Bookings");
        let count = |count: u64| Cell::Text(grouped(count));
        let by = |counts: &std::collections::BTreeMap<&'static str, u64>| {
            let part = |(name, count): (&&'static str, &u64)| {
                format!("{} {}", self.language.name(name), grouped(*count))
            };
            let all: Vec<String> = counts.iter().map(part).collect();
            Cell::Words(if all.is_empty() {
                "–".to_owned()
            } else {
                all.join(" · ")
            })
        };
        let best = bookings
            .best_minute
            .as_deref()
            .map(|at| format!("{} ({})", clock(at), grouped(bookings.best_minute_booked)));
        out.push_str(&facts(&[
            (self.say("예약", "Booked"), count(bookings.booked)),
            (
                self.say("누가 예약했나", "Who booked"),
                by(&bookings.by_actor),
            ),
            (
                self.say("자리의 종류", "Out of which seats"),
                by(&bookings.by_pool),
            ),
            (
                self.say("가장 많았던 1분", "The best minute"),
                Cell::Text(best.unwrap_or("–".to_owned())),
            ),
            (self.say("옮김", "Moved"), count(bookings.moved)),
            (self.say("취소", "Cancelled"), count(bookings.cancelled)),
            (
                self.say("잡아 둔 시간", "Holds placed"),
                count(bookings.holds),
            ),
            (
                self.say("더 잡아 둠", "Holds extended"),
                count(bookings.holds_extended),
            ),
            (
                self.say("시간이 지나 풀림", "Holds that ran out"),
                count(bookings.holds_expired),
            ),
            (
                self.say("스스로 놓음", "Holds given back"),
                count(bookings.holds_released),
            ),
        ]));
        let rows = &self.figures.minutes;
        let (at, filled) = self.at();
        let values = counts(&filled, |row| row.booked);
        self.chart(out, &at, ("예약", "Bookings"), self.each(), values);
        let happened = rows.iter().filter(|row| {
            row.holds + row.booked + row.moved + row.cancelled + row.refused.iter().sum::<u64>() > 0
        });
        let rows = happened.map(|row| {
            let counts = [row.booked, row.moved, row.cancelled, row.holds];
            let refused = row.refused.iter().sum();
            let counts = counts.into_iter().chain([refused]);
            let cells = counts.map(|count| Cell::Number(grouped(count)));
            std::iter::once(Cell::Text(clock(&row.at)))
                .chain(cells)
                .collect()
        });
        let names = [
            self.say("시각", "time"),
            self.say("예약", "booked"),
            self.say("옮김", "moved"),
            self.say("취소", "cancelled"),
            self.say("잡음", "held"),
            self.say("거절", "refused"),
        ];
        self.details(out, &names, rows.collect());
    }

    pub(super) fn refusals(&self, out: &mut String) {
        self.title(out, "규칙에 따른 거절", "Refusals by the rules");
        if self.figures.refusals.is_empty() {
            return self.soft(out, "없습니다.", "None.");
        }
        self.soft(
            out,
            "한 사람을 규칙의 판과 까닭마다 한 번만 셉니다.",
            "A person is counted once for each version of the rules and reason.",
        );
        let rows = self.figures.refusals.iter().map(|refusal| {
            vec![
                Cell::Text(self.language.name(refusal.reason).to_owned()),
                Cell::Number(refusal.rules.to_string()),
                Cell::Number(grouped(refusal.people)),
            ]
        });
        let names = [
            self.say("까닭", "reason"),
            self.say("규칙의 판", "version of the rules"),
            self.say("사람", "people"),
        ];
        out.push_str(&table(&names, &rows.collect::<Vec<_>>()));
    }

    pub(super) fn acts(&self, out: &mut String) {
        self.title(out, "운영자가 한 일", "What operators did");
        if self.figures.acts.is_empty() {
            return self.soft(out, "없습니다.", "Nothing.");
        }
        let rows = self.figures.acts.iter().map(|act| {
            let text = match (self.language, &act.text, &act.text_en) {
                (Language::English, _, Some(english)) => english.clone(),
                (_, Some(text), _) => text.clone(),
                _ => String::new(),
            };
            vec![
                Cell::Text(clock(&act.at)),
                Cell::Text(act.by.clone()),
                Cell::Text(self.language.name(act.act).to_owned()),
                Cell::Words(text),
                Cell::Text(act.number.map_or(String::new(), grouped)),
                Cell::Text(grouped(act.entry)),
            ]
        });
        let names = [
            self.say("시각", "time"),
            self.say("누가", "by"),
            self.say("무엇을", "what"),
            self.say("까닭이나 내용", "reason or text"),
            self.say("수", "number"),
            self.say("항목", "entry"),
        ];
        out.push_str(&table(&names, &rows.collect::<Vec<_>>()));
        if self.figures.acts_left_out > 0 {
            let count = grouped(self.figures.acts_left_out);
            let more = self.say("더 있습니다: ", "More of them: ");
            let _ = writeln!(out, "<p>{more}{count}</p>");
        }
    }

    pub(super) fn controller(&self, out: &mut String) {
        self.title(
            out,
            "입장 속도와 그 까닭",
            "How fast people were let in, and why",
        );
        if self.figures.controller.is_empty() {
            return self.soft(
                out,
                "번호를 받은 사람이 있을 때 1분에 한 번 기록합니다. 기록이 없습니다.",
                "This is on record once a minute while anybody has a number. There is nothing.",
            );
        }
        let part = |permille: u16| format!("{}.{} %", permille / 10, permille % 10);
        let rows = self.figures.controller.iter().map(|row| {
            let because = row.because.map(|because| self.language.name(because));
            vec![
                Cell::Text(between(&row.from, &row.until)),
                Cell::Number(grouped(row.admit_per_s.into())),
                Cell::Number(part(row.brake_permille_least)),
                Cell::Number(row.share_permille_least.map_or("–".to_owned(), part)),
                Cell::Number(format!(
                    "{} / {}",
                    grouped(row.active_most),
                    grouped(row.active_max.into())
                )),
                Cell::Text(
                    because
                        .unwrap_or(self.say("안내대로", "as told"))
                        .to_owned(),
                ),
            ]
        });
        let names = [
            self.say("시각", "time"),
            self.say("1초에", "a second"),
            self.say("제동 뒤, 최소", "after the brake, at least"),
            self.say("이 줄의 몫, 최소", "this line's share, at least"),
            self.say("들어와 있는 사람", "people in"),
            self.say("느린 까닭", "slower because"),
        ];
        out.push_str(&table(&names, &rows.collect::<Vec<_>>()));
    }

    pub(super) fn happenings(&self, out: &mut String) {
        self.title(out, "서버와 시계", "The server and its clock");
        if self.figures.happenings.is_empty() {
            return self.soft(
                out,
                "시작하거나 멈추거나 시계가 바뀐 일이 없습니다.",
                "It was neither started nor stopped, and its clock did not step.",
            );
        }
        let rows = self.figures.happenings.iter().map(|seen| {
            let by_ms = seen.by_ms.map(|by_ms| {
                let sign = if by_ms < 0 { "−" } else { "+" };
                let ms = by_ms.unsigned_abs();
                format!("{sign}{}.{:03} s", ms / 1_000, ms % 1_000)
            });
            let detail = seen.program.clone().or(by_ms).unwrap_or_default();
            vec![
                Cell::Text(clock(&seen.at)),
                Cell::Text(self.language.name(seen.what).to_owned()),
                Cell::Text(detail),
                Cell::Text(grouped(seen.entry)),
            ]
        });
        let names = [
            self.say("시각", "time"),
            self.say("무엇이", "what"),
            self.say("자세히", "detail"),
            self.say("항목", "entry"),
        ];
        out.push_str(&table(&names, &rows.collect::<Vec<_>>()));
    }

    pub(super) fn heads(&self, out: &mut String, heads: &Heads) {
        self.title(
            out,
            "서명된 헤드와 확인하는 법",
            "Signed heads, and how to check this",
        );
        let mut rows = vec![(
            self.say(
                "저널의 공개 키 (Ed25519)",
                "The journal's public key (Ed25519)",
            ),
            Cell::Code(self.figures.journal.public_key.clone()),
        )];
        if let Some(key) = &self.figures.journal.verifier_key {
            rows.push((
                self.say(
                    "같은 키, C2SP 서명 노트의 꼴",
                    "The same key, as C2SP signed notes have it",
                ),
                Cell::Code(key.clone()),
            ));
        }
        let mut add = |name, head: &KeptHead| {
            let at = head.stamp.as_deref().map_or_else(String::new, clock);
            rows.push((
                name,
                Cell::Code(format!("{} {} {at}Z", head.seq, head.hash)),
            ));
        };
        if let Some(before) = &heads.before {
            add(
                self.say("저녁 전의 헤드", "Head before the evening"),
                before,
            );
        }
        add(
            self.say("저녁 뒤의 헤드", "Head after the evening"),
            &heads.after,
        );
        out.push_str(&facts(&rows));
        self.soft(
            out,
            "이 폴더의 파일만으로 확인합니다. 공개 키는 이 폴더가 아닌 곳에서 받은 것을 쓰십시오.",
            "All of it can be checked from the files of this folder. Take the public key from \
             somewhere else than this folder.",
        );
        let key = &self.figures.journal.public_key;
        let steps = format!(
            "sha256sum -c {SUMS}\nminisign -V -m {SUMS} -x {SIGNATURE} -P …\nsumun audit verify . \
             --public-key {key}"
        );
        let _ = writeln!(out, "<pre><code>{}</code></pre>", escaped(&steps));
        let files = [
            (
                ENTRIES,
                self.say(
                    "첫 항목부터 저녁 끝까지의 모든 항목 (이름 없이 가명만)",
                    "every entry, from the first to the end of the evening, with pseudonyms \
                     and no names",
                ),
            ),
            (
                FIGURES,
                self.say("이 쪽의 모든 숫자", "every figure of this page"),
            ),
            (
                HEADS,
                self.say(
                    "서명된 헤드 (sumun audit head --json의 꼴)",
                    "the signed heads, as sumun audit head --json prints them",
                ),
            ),
            (
                SUMS,
                self.say("파일마다의 SHA-256", "the SHA-256 of each file"),
            ),
            (
                SIGNATURE,
                self.say(
                    "그 서명 (minisign의 꼴)",
                    "its signature, in minisign's form",
                ),
            ),
        ];
        let rows = files
            .map(|(name, what)| vec![Cell::Code(name.to_owned()), Cell::Words(what.to_owned())]);
        let names = [self.say("파일", "file"), self.say("무엇", "what it is")];
        out.push_str(&table(&names, &rows));
    }
}
