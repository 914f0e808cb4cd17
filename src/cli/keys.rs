//! `sumun keys rotate`, `forget`, `export`, `import` and `recipient`.

use std::path::PathBuf;

use serde_json::json;

use super::{KeysCommand, Output};
use crate::crypto::seal;
use crate::ops::backup::keyring;
use crate::ops::folder::{Folder, write_new};
use crate::ops::work::Work;

pub fn run(folder: &Folder, command: &KeysCommand) -> anyhow::Result<Output> {
    match command {
        KeysCommand::Export { file, keys, sealed } => {
            let names = keyring::export(folder, &sealed.of(folder)?, keys.as_deref(), file)?;
            let human = format!("{}: sealed {}", file.display(), all(&names));
            Ok(Output::done(
                human,
                json!({ "file": file.display().to_string(), "files": shown(&names) }),
            ))
        }
        KeysCommand::Import { file, opened } => {
            super::keep::make_folder(folder.path())?;
            let names = keyring::import(folder, &opened.read()?, file)?;
            let human = if names.is_empty() {
                format!("{} has all of it already", folder.path().display())
            } else {
                format!("{} has now {}", folder.path().display(), all(&names))
            };
            Ok(Output::done(human, json!({ "files": shown(&names) })))
        }
        KeysCommand::Recipient { file } => {
            let (text, recipient) = seal::new_identity();
            write_new(file, 0o600, text.as_bytes())?;
            let human = format!(
                "{recipient}\nthe secret key is in {}: keep it where this host is not",
                file.display()
            );
            let json = json!({ "recipient": recipient, "file": file.display().to_string() });
            Ok(Output::done(human, json))
        }
        KeysCommand::Rotate {
            revoke,
            personal,
            heads,
        } => {
            let work = if *personal {
                Work::RotatePersonalKeys
            } else if *heads {
                Work::RotateHeadKey
            } else {
                Work::RotateTokenKey { revoke: *revoke }
            };
            super::work(folder, work, None)
        }
        KeysCommand::Forget => super::work(folder, Work::ForgetPersonalKeys, None),
    }
}

fn shown(names: &[PathBuf]) -> Vec<String> {
    let shown = names.iter().map(|name| name.display().to_string());
    shown.collect()
}

fn all(names: &[PathBuf]) -> String {
    shown(names).join(", ")
}
