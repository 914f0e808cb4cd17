//! The page of a proof: one HTML file without anything from elsewhere, for paper and for screens.
//!
//! What proves is the text and its code, not the page: nothing on it has to be believed.

use std::fmt::Write as _;

use crate::domain::text::escaped;
use crate::ops::outcome::{EntryProof, Proofs};
use crate::qr;

const STYLE: &str = "\
    body{margin:0 auto;max-width:52rem;padding:1rem;color:#111;background:#fff;\
    font:1rem/1.6 'Apple SD Gothic Neo','Malgun Gothic','Noto Sans KR',system-ui,sans-serif}\
    pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:.75rem;background:#eee;\
    font-size:.8rem;line-height:1.35}\
    section{break-inside:avoid;border-top:1px solid #888;margin-top:1.5rem}\
    svg{width:100%;max-width:26rem;display:block}";

/// The page of these proofs, in both languages.
pub fn of(proofs: &Proofs) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"ko\">\n<head>\n<meta charset=\"utf-8\">\n<meta \
         name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>기록의 증명 · \
         Proof of a record</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>기록의 증명 <span \
         lang=\"en\">Proof of a record</span></h1>\n"
    );
    page.push_str(
        "<p>아래 글은 이 항목이 서명된 기록에 있음을 증명합니다. 기록의 공개 키만 있으면 이 프로그램이나 \
         C2SP tlog-proof를 읽는 다른 프로그램으로 언제든지 인터넷 없이 확인할 수 있습니다. 이 페이지의 \
         설명을 믿을 필요는 없습니다. 공개 키는 이 페이지가 아닌 기관에서 받으십시오.</p>\n<p \
         lang=\"en\">The text below proves that this entry is in the signed record. Who has the \
         record’s public key can check it at any time without a network, with this program or any \
         other that reads C2SP tlog-proof. Nothing that this page says has to be believed. Get the \
         public key from the agency, not from this page.</p>\n<pre>sumun audit verify FILE \
         --public-key KEY</pre>\n",
    );
    let _ = write!(
        page,
        "<p>공개 키 <span lang=\"en\">Public key</span></p>\n<pre>{}</pre>\n",
        escaped(&proofs.public_key)
    );
    proofs
        .entries
        .iter()
        .for_each(|entry| section(entry, &mut page));
    page.push_str("</body>\n</html>");
    page
}

fn section(entry: &EntryProof, page: &mut String) {
    let (ko, en) = match entry.what.as_str() {
        "booked" => ("예약함", "booked"),
        "moved" => ("예약을 옮김", "moved"),
        "cancelled" => ("예약을 취소함", "cancelled"),
        _ => ("기록 항목", "entry"),
    };
    let campaign = entry.campaign.as_deref().map(escaped);
    let campaign = campaign.map_or(String::new(), |id| format!(" · {id}"));
    let _ = write!(
        page,
        "<section>\n<h2>{ko} <span lang=\"en\">({en})</span>{campaign}</h2>\n<p>{} · 항목 <span \
         lang=\"en\">entry</span> {}</p>\n",
        escaped(&entry.stamp),
        entry.seq,
    );
    for dose in &entry.doses {
        let _ = writeln!(
            page,
            "<p>{} · {} ({}) · {} · 시간대 번호 <span lang=\"en\">slot</span> {}</p>",
            escaped(&dose.start),
            escaped(&dose.name),
            escaped(&dose.site),
            escaped(&dose.vaccine),
            dose.slot
        );
    }
    let _ = writeln!(page, "<pre>{}</pre>", escaped(&entry.proof));
    if let Some(qr) = qr::svg(&entry.proof) {
        let _ = writeln!(
            page,
            "<svg viewBox=\"0 0 {0} {0}\" role=\"img\" aria-label=\"QR\"><rect width=\"{0}\" \
             height=\"{0}\" fill=\"#fff\"/><path d=\"{1}\"/></svg>",
            qr.size, qr.path
        );
    }
    page.push_str("</section>\n");
}
