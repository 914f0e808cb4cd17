//! `sumun audit verify`: what was handed over, checked offline with the public key alone.

use std::fs::{self, File};
use std::io::{BufReader, Cursor, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use crate::audit::against::{Against, Kept, PublicKey};
use crate::audit::evening::is_evidence;
use crate::audit::given::{self, Given, ProvedEntry};
use crate::audit::tiles::TileFolder;
use crate::audit::{AuditFault, verify_export_against};
use crate::cli::{Output, evening, verify};
use crate::ops::folder::Folder;
use crate::tree::checkpoint::{Checkpoint, Signed};
use crate::tree::cosignature::cosigned_s;
use crate::tree::note::VerifierKey;

/// The file of entries that may lie beside tiles.
const ENTRIES: &str = "entries.jsonl";

/// `sumun audit verify`.
#[derive(Args, Clone, Debug)]
pub struct Verify {
    /// What `export`, `prove` or `checkpoint` made, or a folder of tiles or of `evening`; the
    /// folder's data file if not given
    #[arg(value_name = "FILE|DIR")]
    file: Option<PathBuf>,
    /// What `head --json` or `checkpoint` printed earlier: finds a tail that was cut since, and a
    /// fork
    #[arg(long, value_name = "FILE")]
    head: Vec<PathBuf>,
    /// What verifies the record's heads, or a file with it
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// The key of a witness that must have cosigned the checkpoint, or a file with it
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
}

impl Verify {
    pub fn run(&self, folder: &Folder) -> anyhow::Result<Output> {
        let kept = self.head.iter().map(|path| verify::read_kept(path));
        let against = Against {
            kept: kept.collect::<anyhow::Result<_>>()?,
            key: self.public_key.as_deref().map(read_key).transpose()?,
        };
        let is_evidence_or_own = self
            .file
            .as_deref()
            .is_none_or(|path| path.is_dir() && is_evidence(path));
        anyhow::ensure!(
            self.witness.is_empty() || !is_evidence_or_own,
            "witnesses sign checkpoints: check one that is cosigned, or tiles with it, with \
             --witness"
        );
        let Some(path) = &self.file else {
            return verify::of_folder(folder, &against);
        };
        if path.is_dir() && is_evidence(path) {
            let mut head = None;
            for kept in &against.kept {
                match kept {
                    Kept::Head(kept) if head.is_none() => head = Some(kept),
                    _ => anyhow::bail!(
                        "with evidence of an evening --head takes one head, as `sumun audit head \
                         --json` prints it: a checkpoint is compared with tiles or an export"
                    ),
                }
            }
            let key = against.key.as_ref().map(|key| *key.bytes());
            return evening::check(path, head, key);
        }
        let checked = if path.is_dir() {
            self.tiles(path, &against)?
        } else {
            self.file(path, &against)?
        };
        Ok(checked.unwrap_or_else(|fault| verify::found(&fault.to_string())))
    }

    fn tiles(&self, path: &Path, against: &Against) -> anyhow::Result<Result<Output, AuditFault>> {
        anyhow::ensure!(
            !against
                .kept
                .iter()
                .any(|kept| matches!(kept, Kept::Head(_))),
            "tiles are compared with a checkpoint: a head of the chain (`audit head --json`) is \
             compared with an export"
        );
        let folder = TileFolder::at(path);
        let checkpoint = match given::check_tiles(&folder, against) {
            Ok(checkpoint) => checkpoint,
            Err(fault) => return Ok(Err(fault)),
        };
        let mut output = checkpoint_good(&checkpoint, "every tile leads to its root");
        if let Some(note) = folder.checkpoint()? {
            output = self.witnessed(output, &Signed::unchecked(&note)?)?;
        }
        let entries = path.join(ENTRIES);
        if !output.fault && entries.exists() {
            let mut against = against.clone();
            against.kept.extend(given::kept_of(&folder)?);
            let source = File::open(&entries)?;
            match verify_export_against(BufReader::new(source), &against) {
                Ok(verified) => output.human += &format!("\n{}", verify::answer(&verified).human),
                Err(fault) => return Ok(Err(fault)),
            }
        }
        Ok(Ok(output))
    }

    fn file(&self, path: &Path, against: &Against) -> anyhow::Result<Result<Output, AuditFault>> {
        let can_not = || format!("can't read {}", path.display());
        let mut source = File::open(path).with_context(can_not)?;
        let given = match Given::look(&mut source) {
            Ok(given) => given,
            Err(AuditFault::File(error)) => return Err(error).with_context(can_not),
            Err(fault) => return Ok(Err(fault)),
        };
        Ok(match given {
            Given::Entries(start) => {
                anyhow::ensure!(
                    self.witness.is_empty(),
                    "witnesses sign checkpoints: check one that is cosigned, and give it as --head"
                );
                let source = BufReader::new(Cursor::new(start).chain(source));
                let verified = verify_export_against(source, against);
                let verified = verified.map(|verified| {
                    verify::compared_with(verify::answer(&verified), &against.kept)
                });
                verified.map(|output| signed(output, against))
            }
            Given::Proof(proof) => match given::check_proof(&proof, against) {
                Ok(proved) => {
                    let output =
                        self.witnessed(shown(&proved), &Signed::unchecked(&proof.note)?)?;
                    compared(output, &proved.checkpoint, against)
                }
                Err(fault) => Err(fault),
            },
            Given::Checkpoint(signed) => match given::check_signed(&signed, against) {
                Ok(checkpoint) => {
                    let output = checkpoint_good(&checkpoint, "its signature fits the key");
                    compared(self.witnessed(output, &signed)?, &checkpoint, against)
                }
                Err(fault) => Err(fault),
            },
            Given::Continued(continued) => match given::check_continued(&continued, against) {
                Ok(checkpoint) => {
                    let what = if against.kept.is_empty() {
                        "its signature fits the key; give --head to check what it continues"
                    } else {
                        "it continues the one that was kept"
                    };
                    Ok(checkpoint_good(&checkpoint, what))
                }
                Err(fault) => Err(fault),
            },
        })
    }

    /// Looks for the cosignatures that are asked for.
    fn witnessed(&self, mut output: Output, signed: &Signed) -> anyhow::Result<Output> {
        let mut all = Vec::new();
        for given in &self.witness {
            let text = text_or_file(given);
            let key: VerifierKey = text
                .parse()
                .with_context(|| format!("{given} is no key of a witness (name+id+base64)"))?;
            let time_s = match cosigned_s(&signed.note, &key) {
                Ok(time_s) => i64::try_from(time_s).unwrap_or(i64::MAX),
                Err(fault) => return Ok(verify::found(&format!("the checkpoint {fault}"))),
            };
            let at = jiff::Timestamp::from_second(time_s);
            let at = at.map_or_else(|_| time_s.to_string(), |at| at.to_string());
            output.human += &format!("\ncosigned by {} at {at}", key.name());
            all.push(json!({ "witness": key.name(), "at": at }));
        }
        output.json["witnesses"] = Value::Array(all);
        Ok(output)
    }
}

/// Entries have no signature of their own: a key alone shows nothing of them. Nor does a head whose
/// key came with it.
fn signed(mut output: Output, against: &Against) -> Output {
    if against.key.is_none() {
        output.human += "\nwithout --public-key this shows only that the entries fit each other: \
                         anybody can make such a file, and a head for it. Get the key from the \
                         agency";
        output.json["signed"] = json!(false);
    }
    if against.key.is_some() && against.kept.is_empty() {
        output.human += "\nNO SIGNATURE WAS CHECKED: an export has none; give a signed head or \
                         checkpoint with --head";
        output.json["signed"] = json!(false);
        output.fault = true;
    }
    output
}

/// Says whether a checkpoint could be compared with what was kept; a fault when it could not.
fn compared(
    mut output: Output,
    checkpoint: &Checkpoint,
    against: &Against,
) -> Result<Output, AuditFault> {
    if !given::compare(checkpoint, against)? {
        output.human += "\nNOT compared with what --head names: whether one goes on from the other \
                         takes tiles, an export, or `sumun audit checkpoint --since`";
        output.json["compared"] = json!(false);
        output.fault = true;
    }
    Ok(output)
}

fn checkpoint_good(checkpoint: &Checkpoint, what: &str) -> Output {
    let Checkpoint { origin, size, root } = checkpoint;
    let human =
        format!("verified: the checkpoint of {size} entries of {origin}, root {root}: {what}");
    let json = json!({
        "verified": true, "origin": origin, "size": size, "root": root.to_string(),
    });
    Output::done(human, json)
}

/// A proved entry, as a line of the record.
fn shown(proved: &ProvedEntry) -> Output {
    let ProvedEntry {
        entry,
        hash,
        checkpoint,
    } = proved;
    let line = json!({
        "seq": entry.seq.0, "stamp": entry.stamp.instant().to_string(), "actor": entry.actor,
        "change": entry.change, "hash": hash.to_string(),
    });
    let human = format!(
        "verified: entry {} is in the record {} of {} entries:\n{line}",
        entry.seq, checkpoint.origin, checkpoint.size
    );
    let json = json!({
        "verified": true, "origin": checkpoint.origin, "size": checkpoint.size, "entry": line,
    });
    Output::done(human, json)
}

/// A key as text, or in a file.
pub fn read_key(given: &str) -> anyhow::Result<PublicKey> {
    // What a file holds is never quoted: it can be the secret key beside the public one.
    let read = text_or_file(given).parse();
    read.map_err(|why: String| {
        if Path::new(given).exists() {
            anyhow::anyhow!("{given} is no file of a public key")
        } else {
            anyhow::Error::msg(why)
        }
    })
}

fn text_or_file(given: &str) -> String {
    let text = fs::read_to_string(given).unwrap_or_else(|_| given.to_owned());
    text.trim_matches(|letter: char| letter == '\u{feff}' || letter.is_whitespace())
        .to_owned()
}
