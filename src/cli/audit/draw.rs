//! `sumun audit draw`: what was drawn by lot, drawn again.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context as _;
use data_encoding::HEXLOWER;
use serde_json::json;

use crate::audit::draw;
use crate::audit::draw::CheckedPlan;
use crate::cli::{Output, verify};
use crate::domain::ids::PersonKey;
use crate::domain::line::windows::Plan;
use crate::domain::text::grouped;

pub fn draws(file: &Path, person: Option<&str>) -> anyhow::Result<Output> {
    let source = File::open(file).with_context(|| format!("can't open {}", file.display()))?;
    let checked = match draw::check(BufReader::new(source)) {
        Ok(checked) => checked,
        Err(fault) => return Ok(verify::found(&fault.to_string())),
    };
    let (mut lines, mut all, mut fault) = (Vec::new(), Vec::new(), false);
    for draw in &checked {
        fault |= draw.is_faulty();
        let known = person.and_then(|wanted| {
            draw.numbers
                .iter()
                .find(|(person, _)| person.to_string() == wanted)
        });
        let number = known.map(|(_, number)| *number);
        let when = if draw.in_time {
            "before the lobby"
        } else {
            "FAULT: after people could come, or look their window up"
        };
        let what = match draw.seed {
            Some(_) => {
                let value = match &draw.value {
                    Some((value, source)) => format!("with \"{value}\" from {source}"),
                    None => "without a public value".to_owned(),
                };
                if draw.plans.is_empty() {
                    format!("{} people drawn again, {value}", draw.numbers.len())
                } else {
                    format!("windows by lot, {value}")
                }
            }
            None => "not yet drawn".to_owned(),
        };
        lines.push(format!(
            "{}, opening {}: committed {} ({when}), {what}{}",
            draw.campaign,
            draw.opening,
            draw.committed_at,
            number.map_or(String::new(), |number| format!(
                "; this person has number {number}"
            ))
        ));
        lines.extend(draw.plans.iter().map(plan_told));
        if draw.early > 0 {
            let people = grouped(draw.early);
            lines.push(format!(
                "  FAULT: {people} people have a number from before their window"
            ));
        }
        let key = person.and_then(|text| HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok());
        let window = key.and_then(|key| draw.window_told(&PersonKey(key)));
        if let Some([from, until]) = &window {
            lines.push(format!(
                "  this person has the window from {from} to {until}"
            ));
        }
        let plans = draw.plans.iter().map(|checked| {
            json!({
                "from": checked.from, "windows": checked.plan.windows,
                "window_s": checked.plan.basis.window_s, "people": checked.plan.people,
                "first_lot": format!("{:016x}", checked.plan.first_lot),
                "by_rule": checked.is_by_rule,
            })
        });
        all.push(json!({
            "windows": plans.collect::<Vec<_>>(), "early": draw.early, "window": window,
            "campaign": draw.campaign, "opening": draw.opening, "committed_at": draw.committed_at,
            "in_time": draw.in_time, "drawn": draw.seed.is_some(), "people": draw.numbers.len(),
            "number": number,
            "value": draw.value.as_ref().map(|(value, source)| json!({
                "value": value, "source": source,
            })),
        }));
    }
    if checked.is_empty() {
        lines.push("nothing was drawn by lot in this export".to_owned());
    }
    Ok(Output {
        human: lines.join("\n"),
        json: json!({ "draws": all }),
        fault,
    })
}

/// A plan of windows, and whether it follows from the rule.
fn plan_told(checked: &CheckedPlan) -> String {
    let Plan {
        basis,
        people,
        first_lot,
        windows,
        ..
    } = checked.plan;
    let rule = if checked.is_by_rule {
        "as the rule says"
    } else {
        "FAULT: the rule says otherwise"
    };
    format!(
        "  lots from {first_lot:016x}: {windows} windows of {} s from {}, for {} people ({rule})",
        basis.window_s,
        checked.from,
        grouped(people)
    )
}
