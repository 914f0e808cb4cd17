//! `sumun languages`: catalogues of further languages that an agency adds to its data folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;

use super::Output;
use crate::ops::folder::Folder;
use crate::web::words::{EN_SOURCE, check};

#[derive(Subcommand, Clone, Debug)]
pub enum LanguagesCommand {
    /// Print the English catalogue, to be translated
    #[command(after_help = "Example:\n  sumun languages template > vi.ftl")]
    Template,
    /// Say everything that is wrong with a catalogue
    #[command(
        after_help = "Example:\n  sumun languages check vi.ftl\n\nA catalogue is called by \
                            its language's tag. Put into the folder `languages` of the data \
                            folder, it is used from the server's next start on."
    )]
    Check { file: PathBuf },
    /// List the languages of the data folder
    #[command(after_help = "Example:\n  sumun languages list")]
    List,
}

pub fn run(folder: &Folder, command: &LanguagesCommand) -> anyhow::Result<Output> {
    match command {
        LanguagesCommand::Template => {
            let json = json!({ "catalogue": EN_SOURCE });
            Ok(Output::done(EN_SOURCE.trim_end(), json))
        }
        LanguagesCommand::Check { file } => check(file),
        LanguagesCommand::List => list(folder),
    }
}

fn check(file: &Path) -> anyhow::Result<Output> {
    let shown = file.display();
    let source = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let tag = file.file_stem().and_then(|stem| stem.to_str());
    let faults = check::faults(tag.unwrap_or_default(), &source);
    let json = json!({ "ok": faults.is_empty(), "faults": faults });
    if faults.is_empty() {
        return Ok(Output::done(format!("ok: {shown}"), json));
    }
    let lines = faults.iter().map(|fault| format!("{shown}: {fault}"));
    let mut lines: Vec<String> = lines.collect();
    lines.push(format!("refused: {} faults to correct", faults.len()));
    Ok(Output::fault(lines.join("\n"), json))
}

fn list(folder: &Folder) -> anyhow::Result<Output> {
    let mut lines = vec![
        "ko  of the program".to_owned(),
        "en  of the program".to_owned(),
    ];
    let mut languages = vec![
        json!({ "tag": "ko", "ok": true }),
        json!({ "tag": "en", "ok": true }),
    ];
    let mut is_fault = false;
    for (tag, source) in folder.languages()? {
        let faults = check::faults(&tag, &source);
        languages.push(json!({ "tag": tag, "ok": faults.is_empty(), "faults": faults }));
        lines.push(match faults.first() {
            None => format!("{tag}  of the agency"),
            Some(first) => {
                is_fault = true;
                format!("{tag}  not used: {first} ({} faults in all)", faults.len())
            }
        });
    }
    let json = json!({ "languages": languages });
    let human = lines.join("\n");
    Ok(if is_fault {
        Output::fault(human, json)
    } else {
        Output::done(human, json)
    })
}
