//! `sumun audit`: export, verify, head.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use data_encoding::HEXLOWER;
use serde_json::json;

use super::{Output, evening, verify, work};
use crate::audit::draw::CheckedPlan;
use crate::audit::{draw, evening::is_evidence, export, verify_export};
use crate::domain::ids::{PersonKey, Seq};
use crate::domain::line::windows::Plan;
use crate::domain::text::grouped;
use crate::ops::folder::Folder;
use crate::ops::work::Work;

#[derive(Subcommand, Clone, Debug)]
pub enum AuditCommand {
    /// Print entries as JSON lines, each with its exact bytes
    #[command(after_help = "Example:\n  sumun audit export --from 1 > entries.jsonl")]
    Export {
        /// The first entry
        #[arg(long, value_name = "SEQ", default_value_t = 1)]
        from: u64,
        /// The last entry; the newest if not given
        #[arg(long, value_name = "SEQ")]
        to: Option<u64>,
    },
    /// Check an export, or the data file of the folder
    #[command(after_help = "Example:\n  sumun audit verify entries.jsonl --head head.json")]
    Verify {
        /// What `export` printed, or a folder of `evening`; the folder's data file if not given
        file: Option<PathBuf>,
        /// What `head --json` printed earlier: finds a tail that was cut since
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
        /// The journal's public key, from elsewhere: for a folder of `evening`
        #[arg(long, value_name = "KEY")]
        public_key: Option<String>,
    },
    Evening(evening::Evening),
    /// Draw again from an export what was drawn by lot, and check that the seed was fixed before
    #[command(after_help = "Example:\n  sumun audit draw entries.jsonl --person 0f3a…")]
    Draw {
        /// What `export` printed, from entry 1 on
        file: PathBuf,
        /// A person key: the number that this person drew
        #[arg(long, value_name = "KEY")]
        person: Option<String>,
    },
    /// Who looked at whose personal data in a month, for its review
    Access(super::access::Access),
    /// Print the signed head, to be kept somewhere else
    #[command(after_help = "Example:\n  sumun audit head --json > head.json")]
    Head,
}

/// Whoever reads an export may stop early, as `head` does.
fn seen_enough_is_no_fault(written: anyhow::Result<()>) -> anyhow::Result<()> {
    let is_broken_pipe = |error: &anyhow::Error| {
        let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
        causes.any(|cause: &std::io::Error| cause.kind() == std::io::ErrorKind::BrokenPipe)
    };
    match written {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        written => written,
    }
}

pub fn run(folder: &Folder, command: &AuditCommand) -> anyhow::Result<Output> {
    match command {
        AuditCommand::Draw { file, person } => draws(file, person.as_deref()),
        AuditCommand::Access(access) => access.run(folder),
        AuditCommand::Head => work(folder, Work::Head, None),
        AuditCommand::Export { from, to } => {
            let (from, to) = (Seq(*from), Seq(to.unwrap_or(u64::MAX)));
            verify::with_view(folder, |read| {
                anyhow::ensure!(from <= to, "--from {from} is behind --to {to}");
                anyhow::ensure!(from != Seq(0), "entries are counted from 1");
                let there = read.hash_at(from)?.is_some();
                anyhow::ensure!(there, "the journal has no entry {from}: it ends before");
                let mut out = BufWriter::new(std::io::stdout().lock());
                match export(read, from, to, &mut out) {
                    Ok(_) => seen_enough_is_no_fault(out.flush().map_err(Into::into)),
                    Err(fault) => seen_enough_is_no_fault(Err(fault.into())),
                }
            })?;
            Ok(Output::nothing())
        }
        AuditCommand::Evening(evening) => evening.run(folder),
        AuditCommand::Verify {
            file: Some(file),
            head,
            public_key,
        } => {
            let kept = head.as_deref().map(verify::read_head).transpose()?;
            if file.is_dir() && is_evidence(file) {
                return evening::check(file, kept.as_ref(), public_key.as_deref());
            }
            anyhow::ensure!(
                public_key.is_none(),
                "--public-key is for a folder that `sumun audit evening` wrote"
            );
            let source =
                File::open(file).with_context(|| format!("can't open {}", file.display()))?;
            match verify_export(BufReader::new(source), kept.as_ref()) {
                Ok(verified) => Ok(verify::compared(verify::answer(&verified), kept.as_ref())),
                Err(fault) => Ok(verify::found(&fault.to_string())),
            }
        }
        AuditCommand::Verify {
            file: None, head, ..
        } => verify::Verify::of_folder(head.clone()).run(folder),
    }
}

fn draws(file: &Path, person: Option<&str>) -> anyhow::Result<Output> {
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
