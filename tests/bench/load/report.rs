//! The table of all measurements, for a person and as JSON.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::Done;
use super::rows::{ALSO, ROWS, Row, Wanted, best};

pub fn report(results: &Path, out: &Path) -> Done {
    let text = fs::read_to_string(results)?;
    let results: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
    let results = results?;
    println!(
        "{:34} {:>9} {:4} {:>18} {:>6} {:>8} {:4} busy cores",
        "what", "measured", "unit", "peer", "ratio", "wanted", "met"
    );
    let rows: Vec<Value> = ROWS.iter().map(|row| show(row, &results)).collect();
    println!();
    println!(
        "{:40} {:>9} {:>8} {:>8} busy cores",
        "rates", "per s", "p50 ms", "p99 ms"
    );
    for (name, what) in ALSO {
        let Some(found) = best(&results, name) else {
            continue;
        };
        let time = |name: &str| found[name].as_f64().map_or("-".to_owned(), figure);
        let (p50, p99) = (time("p50_ms"), time("p99_ms"));
        let per_s = figure(found["per_s"].as_f64().unwrap_or(0.0));
        println!(
            "{what:40} {per_s:>9} {p50:>8} {p99:>8} {}",
            cores(&found["busy"])
        );
    }
    println!(
        "\nBusy: percent of each core, all programs together; (server + generator) of one core."
    );
    let all = json!({ "rows": rows, "measurements": results });
    fs::write(out, serde_json::to_string_pretty(&all)?)?;
    println!("{}", out.display());
    Ok(())
}

fn show(row: &Row, results: &[Value]) -> Value {
    let (name, field) = row.of;
    let found = best(results, name);
    let named = results.iter().filter(|one| one["name"] == name);
    let measured = median(named.filter_map(|one| one[field].as_f64()).collect());
    let (peer, wanted, ratio) = match row.wanted {
        Wanted::Times(times, peer) => {
            let pairs = pairs(results, row.of, peer);
            let ratio = median(pairs.iter().map(|(own, peer)| own / peer).collect());
            let rate = median(pairs.iter().map(|(_, peer)| *peer).collect());
            (Some((peer, rate)), format!(">= {times:.2}x"), ratio)
        }
        Wanted::AtLeast(least) => (None, format!(">= {least}"), None),
        Wanted::AtMost(most) => (None, format!("<= {most}"), None),
    };
    let met = match row.wanted {
        Wanted::Times(times, _) => ratio.map(|ratio| ratio >= times),
        Wanted::AtLeast(least) => measured.map(|measured| measured >= least),
        Wanted::AtMost(most) => measured.map(|measured| measured <= most),
    };
    let or_dash = |value: Option<f64>| value.map_or("-".to_owned(), figure);
    let peer_text = peer.map_or(String::new(), |(name, rate)| {
        format!("{name} {}", or_dash(rate))
    });
    let ratio_text = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}x"));
    let met_text = match met {
        None => "?",
        Some(true) => "yes",
        Some(false) => "NO",
    };
    let busy = found.map_or(&Value::Null, |found| &found["busy"]);
    println!(
        "{:34} {:>9} {:4} {peer_text:>18} {ratio_text:>6} {wanted:>8} {met_text:4} {}",
        row.what,
        or_dash(measured),
        row.unit,
        cores(busy)
    );
    json!({
        "what": row.what, "measured": measured, "unit": row.unit,
        "peer": peer.map(|(name, _)| name), "peer_per_s": peer.and_then(|(_, rate)| rate),
        "ratio": ratio, "wanted": wanted, "met": met, "busy": busy,
    })
}

/// Each measurement of a row beside the peer's that came just before it; of several in a row, as
/// with other numbers of clients, the peer's best.
fn pairs(results: &[Value], (name, field): (&str, &str), peer: &str) -> Vec<(f64, f64)> {
    let own = results
        .iter()
        .enumerate()
        .filter(|(_, one)| one["name"] == name);
    let pair = |(at, own): (usize, &Value)| {
        let mut before = results[..at].iter().rev();
        let nearest = before.position(|one| one["name"] == peer)?;
        let same = results[..at - nearest].iter().rev();
        let same = same.take_while(|one| one["name"] == peer);
        let rates = same.filter_map(|one| one["per_s"].as_f64());
        Some((own[field].as_f64()?, rates.fold(0.0, f64::max)))
    };
    own.filter_map(pair).collect()
}

fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}

fn figure(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// `99% 98% (112 + 60)`: each core; of it the server and this generator.
fn cores(busy: &Value) -> String {
    let each = busy["cores"].as_array().into_iter().flatten();
    let each: Vec<String> = each.map(|core| format!("{core}%")).collect();
    let each = each.join(" ").replace(".0%", "%");
    match (busy["server"].as_f64(), busy["load"].as_f64()) {
        (Some(server), Some(load)) => format!("{each} ({server} + {load})"),
        _ => each,
    }
}
