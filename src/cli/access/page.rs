//! The sheet of a monthly review: one HTML file in Korean and English, to be printed and signed.
//!
//! It needs nothing from elsewhere. It has pseudonyms and no names, except what an operator wrote
//! into a reason: every text is escaped.

use std::fmt::Write as _;

use crate::audit::access::{
    A_DAY, AT_ONE_PERSON, Asked, NIGHT, OfAccount, PEOPLE_AT_ONCE, Review, Seen,
};
use crate::domain::entry::Purpose;
use crate::domain::text::{escaped, grouped};
use crate::domain::time::Zone;

/// Looks that the page lists one by one: some thirty sheets of paper.
pub const LISTED_MAX: usize = 1_000;

const STYLE: &str = include_str!("page.css");

/// The sheet of a month.
pub fn of(month: &str, zone: &Zone, review: &Review, listed: &[Seen]) -> String {
    let month = escaped(month);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"ko\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>접속기록 점검표 \
         {month}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>접속기록 점검표 {month} {}\
         </h1>\n",
        en("Review of looks at personal data")
    );
    record(review, zone, &mut page);
    summary(review, &mut page);
    accounts(review, &mut page);
    to_ask(review, &mut page);
    people(review, &mut page);
    every_look(review, listed, &mut page);
    reviewer(review, &mut page);
    page.push_str("</body>\n</html>\n");
    page
}

/// The English beside the Korean.
fn en(text: &str) -> String {
    format!("<span lang=\"en\">{text}</span>")
}

fn title(page: &mut String, korean: &str, english: &str) {
    let _ = writeln!(page, "<h2>{korean} {}</h2>", en(english));
}

fn note(page: &mut String, korean: &str, english: &str) {
    let _ = writeln!(page, "<p>{korean}<br>{}</p>", en(english));
}

/// A table that scrolls on a narrow screen; what is in the cells is HTML already.
fn table(page: &mut String, names: &[(&str, &str)], rows: impl Iterator<Item = Vec<String>>) {
    page.push_str("<div class=\"wide\"><table>\n<thead><tr>");
    for (korean, english) in names {
        let _ = write!(page, "<th>{korean}<br>{}</th>", en(english));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        page.push_str("<tr>");
        for cell in row {
            let _ = write!(page, "<td>{cell}</td>");
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table></div>\n");
}

/// What the sheet was made from.
fn record(review: &Review, zone: &Zone, page: &mut String) {
    let record = &review.record;
    let entries = match (record.first_entry, record.last_entry) {
        (Some(first), Some(last)) => format!("{} – {}", grouped(first), grouped(last)),
        _ => "–".to_owned(),
    };
    let head = match &record.head {
        Some(head) => format!(
            "{}, {}<br><code>{}</code>",
            grouped(head.seq),
            escaped(&head.stamp),
            escaped(&head.hash)
        ),
        None => "–".to_owned(),
    };
    let rows = [
        ("시간대", "time zone", escaped(zone.name())),
        ("살펴본 항목", "entries looked at", entries),
        (
            "기록의 마지막 항목",
            "last entry of the record",
            format!(
                "{}<br><code>{}</code>",
                grouped(record.newest_entry),
                escaped(&record.newest_hash)
            ),
        ),
        (
            "가장 새로운 서명된 헤드",
            "newest signed head, with its entry and hash",
            head,
        ),
    ];
    page.push_str("<table class=\"facts\">\n");
    for (korean, english, value) in rows {
        let _ = writeln!(
            page,
            "<tr><th>{korean}<br>{}</th><td>{value}</td></tr>",
            en(english)
        );
    }
    page.push_str("</table>\n");
    let newest_head = record.head.as_ref().map(|head| head.seq);
    if record.last_entry > newest_head {
        note(
            page,
            "이 달의 마지막 항목은 아직 서명된 헤드에 들어 있지 않습니다. 나중에 다시 만드십시오.",
            "No signed head covers the last entry of this month yet: make the sheet again later.",
        );
    }
    note(
        page,
        "이 프로그램을 거친 조회와 삭제만 기록됩니다. 서버의 파일을 직접 읽는 사람은 기록되지 않습니다.",
        "On record is what was looked at or erased through this program. Who reads the files of \
         the host directly is not on this record.",
    );
}

fn summary(review: &Review, page: &mut String) {
    title(page, "한눈에 보기", "Summary");
    let of = |count: fn(&OfAccount) -> u64| grouped(review.accounts.values().map(count).sum());
    let names = [
        ("조회", "looks"),
        ("사람", "people"),
        ("계정", "accounts"),
        ("밤", "at night"),
        ("주말", "on weekends"),
        ("설명이 필요함", "to be asked about"),
    ];
    let row = vec![
        grouped(review.looks),
        grouped(review.people),
        grouped(review.accounts.len() as u64),
        of(|of| of.at_night),
        of(|of| of.on_weekend),
        grouped(review.asked),
    ];
    table(page, &names, std::iter::once(row));
    let (from, until) = NIGHT;
    note(
        page,
        &format!(
            "밤은 {from}시부터 {until}시까지, 주말은 토요일과 일요일입니다. 공휴일은 알지 못하므로 따로 \
             살펴보십시오."
        ),
        &format!(
            "Night is from {from}:00 to {until}:00, weekends are Saturdays and Sundays. Public \
             holidays are not known here: look at them yourself."
        ),
    );
}

fn accounts(review: &Review, page: &mut String) {
    title(
        page,
        "계정별, 눈에 띄는 것부터",
        "By account, the unusual first",
    );
    let names = [
        ("계정", "account"),
        ("설명이 필요함", "to be asked about"),
        ("조회", "looks"),
        ("사람", "people"),
        ("밤", "at night"),
        ("주말", "on weekends"),
        ("하루 최대", "most on one day"),
        ("목적", "purposes"),
        ("접속한 곳", "from where"),
        ("적은 이유", "reasons given"),
    ];
    let rows = review.unusual_first().into_iter().map(|(account, of)| {
        let purposes = of.by_purpose.iter();
        let purposes = purposes.map(|(what, times)| format!("{} × {times}", purpose(*what)));
        let origins = of.origins.iter();
        let origins = origins.map(|(from, times)| format!("{} × {times}", origin(from)));
        let reasons = of.reasons.iter();
        let mut reasons: Vec<_> = reasons
            .map(|(reason, times)| format!("{} × {times}", escaped(reason)))
            .collect();
        if of.other_reasons > 0 {
            reasons.push(format!(
                "그 밖 {} × {}",
                en("other reasons"),
                of.other_reasons
            ));
        }
        vec![
            who(account),
            grouped(of.asked),
            grouped(of.looks),
            grouped(of.people),
            grouped(of.at_night),
            grouped(of.on_weekend),
            grouped(of.most_a_day),
            purposes.collect::<Vec<_>>().join("<br>"),
            origins.collect::<Vec<_>>().join("<br>"),
            reasons.join("<br>"),
        ]
    });
    table(page, &names, rows);
    note(
        page,
        "접속한 곳은 그 계정의 셸이 알려 준 것이며, sudo를 쓰면 주소가 빠질 수 있습니다. 서버의 접속 \
         기록과 견주어 보십시오.",
        "Where somebody came from is what their shell said; with sudo the address can be missing. \
         Compare it with the log-ins of the host.",
    );
}

/// The looks that need a word, with room for it.
fn to_ask(review: &Review, page: &mut String) {
    title(page, "설명이 필요한 조회", "Looks to be asked about");
    note(
        page,
        &format!(
            "밤이나 주말의 조회, 한 계정이 하루에 {A_DAY}번을 넘긴 조회, 같은 사람을 {AT_ONE_PERSON}번째부터 \
             다시 본 조회, 한 번에 {PEOPLE_AT_ONCE}명 이상을 본 조회, 그보다 적은 사람의 명단을 시험한 \
             것(--dry-run)입니다. 본인에게 물어 설명을 적으십시오."
        ),
        &format!(
            "At night or on a weekend; beyond {A_DAY} of one account on one day; at one person \
             from the {AT_ONE_PERSON}rd time on; at {PEOPLE_AT_ONCE} people or more at once; \
             trials (--dry-run) of a roster with fewer. Ask whose account it was, and write down \
             what was said."
        ),
    );
    let names = [
        ("항목", "entry"),
        ("시각", "time"),
        ("계정", "account"),
        ("까닭", "why"),
        ("사람(가명)", "person, as a pseudonym"),
        ("적은 이유", "reason given"),
        ("설명", "explanation"),
    ];
    let rows = review.to_ask.iter().map(|seen| {
        let why: Vec<_> = seen.asked.iter().map(|why| asked(*why)).collect();
        vec![
            grouped(seen.seq),
            at(&seen.at),
            who(&seen.account),
            why.join("<br>"),
            whom(seen),
            escaped(&seen.reason),
            String::new(),
        ]
    });
    table(page, &names, rows);
    let more = review.asked - review.to_ask.len() as u64;
    if more > 0 {
        left_out(more, page);
    }
}

fn people(review: &Review, page: &mut String) {
    if review.most_looked_at.is_empty() {
        return;
    }
    title(page, "여러 번 조회된 사람", "Looked at more than once");
    let names = [("사람(가명)", "person, as a pseudonym"), ("조회", "looks")];
    let rows = review.most_looked_at.iter();
    let rows = rows
        .map(|(person, times)| vec![format!("<code>{}</code>", escaped(person)), grouped(*times)]);
    table(page, &names, rows);
}

fn every_look(review: &Review, listed: &[Seen], page: &mut String) {
    title(
        page,
        "모든 조회와 적은 이유",
        "Every look, and the reason given",
    );
    let names = [
        ("항목", "entry"),
        ("시각", "time"),
        ("계정", "account"),
        ("접속한 곳", "from where"),
        ("목적", "purpose"),
        ("사람(가명)", "person, as a pseudonym"),
        ("적은 이유", "reason given"),
    ];
    let rows = listed.iter().map(|seen| {
        vec![
            grouped(seen.seq),
            at(&seen.at),
            who(&seen.account),
            origin(&seen.origin),
            purpose(seen.purpose).to_owned(),
            whom(seen),
            escaped(&seen.reason),
        ]
    });
    table(page, &names, rows);
    let all = review.looks + review.reviews.len() as u64;
    let more = all - listed.len() as u64;
    if more > 0 {
        left_out(more, page);
    }
}

fn left_out(more: u64, page: &mut String) {
    let more = grouped(more);
    note(
        page,
        &format!("{more}건이 더 있습니다. 모두 담은 표는 <code>--csv</code>로 만듭니다."),
        &format!("There are {more} more: <code>--csv</code> writes all of them."),
    );
}

/// What a person writes on the paper.
fn reviewer(review: &Review, page: &mut String) {
    page.push_str("<section>\n");
    title(page, "점검한 사람", "Reviewer");
    page.push_str("<table class=\"sign\">\n");
    for (korean, english, is_tall) in [
        ("점검 결과", "findings", true),
        ("조치", "what is done about them", true),
        ("이름", "name", false),
        ("소속과 직위", "office and position", false),
        ("날짜", "date", false),
        ("서명", "signature", false),
    ] {
        let class = if is_tall { " class=\"tall\"" } else { "" };
        let _ = writeln!(
            page,
            "<tr{class}><th>{korean}<br>{}</th><td></td></tr>",
            en(english)
        );
    }
    page.push_str("</table>\n</section>\n");
    for done in &review.reviews {
        let done = format!(
            "{}, {}, {}: {}",
            grouped(done.seq),
            at(&done.at),
            who(&done.account),
            escaped(&done.reason)
        );
        note(
            page,
            &format!("이 달에 기록된 점검: {done}"),
            "A review that was put on record in this month.",
        );
    }
}

/// A time as `2021-07-19 23:05:00`, without its offset: the sheet names the zone once.
fn at(at: &str) -> String {
    escaped(&at.get(..19).unwrap_or(at).replacen('T', " ", 1))
}

/// An account in plain words.
fn who(account: &str) -> String {
    let Some(name) = account.strip_suffix(" (host)") else {
        return escaped(account);
    };
    match name.strip_prefix("uid ") {
        Some(uid) => format!(
            "이름 없는 서버 계정, 사용자 번호 {} {}",
            escaped(uid),
            en("account of the host without a name, by its user id")
        ),
        None => format!(
            "<b>{}</b><br>서버 계정 {}",
            escaped(name),
            en("account of the host")
        ),
    }
}

/// Where somebody came from, in plain words.
fn origin(origin: &str) -> String {
    match origin.strip_prefix("ssh ") {
        Some(address) => format!("SSH, {}", escaped(address)),
        None if origin == "console" => format!(
            "서버에서 직접(알려진 원격 주소 없음) {}",
            en("at the host itself: no remote address known")
        ),
        None => escaped(origin),
    }
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Shown => "조회 <span lang=\"en\">shown</span>",
        Purpose::Erased => "삭제 <span lang=\"en\">erased</span>",
        Purpose::Compared => "명단 시험 <span lang=\"en\">roster file tried</span>",
        Purpose::StoredAgain => "다시 저장 <span lang=\"en\">stored again</span>",
        Purpose::Telephoned => "전화 연락 <span lang=\"en\">telephoned</span>",
        Purpose::Reviewed => "점검 <span lang=\"en\">review</span>",
    }
}

fn asked(why: Asked) -> &'static str {
    match why {
        Asked::AtNight => "밤 <span lang=\"en\">at night</span>",
        Asked::OnWeekend => "주말 <span lang=\"en\">weekend</span>",
        Asked::ManyThatDay => "하루에 많이 <span lang=\"en\">many that day</span>",
        Asked::SamePersonAgain => "같은 사람을 다시 <span lang=\"en\">same person again</span>",
        Asked::FewCompared => "몇 사람의 명단 시험 <span lang=\"en\">few people tried</span>",
        Asked::ManyPeople => "한 번에 여러 사람 <span lang=\"en\">many people at once</span>",
    }
}

/// The people of a look; of many, how many.
fn whom(seen: &Seen) -> String {
    match seen.people.as_slice() {
        [person] => format!("<code>{}</code>", escaped(person)),
        [] => "–".to_owned(),
        people => format!(
            "{}명 {}",
            people.len(),
            en("people, in the CSV file by pseudonym")
        ),
    }
}
