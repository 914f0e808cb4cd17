//! Takes evidence apart: every file against the signed checksums, and every figure, both pages and
//! the heads against what the entries say.
//!
//! Nothing but the folder and the public key is needed. All faults are told, not the first alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::path::Path;

use data_encoding::HEXLOWER;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::collect::{Collector, Wanted};
use super::figures::{FORM, Figures};
use super::page::{self, Language};
use super::signature::{self, read_public_key};
use super::{COVERED, ENTRIES, FIGURES, HEADS, Heads, PAGE, PAGE_EN, SIGNATURE, SUMS};
use crate::audit::exported::{self, Lines};
use crate::audit::{AuditFault, KeptHead, check_kept};
use crate::crypto::Sha256;
use crate::domain::entry::Hash;
use crate::domain::ids::{LineIndex, Seq};
use crate::domain::personal::KeysInForce;
use crate::domain::state::State;
use crate::journal::recovery::apply_all;

/// Read at a time.
const READ_BYTES: usize = 1 << 18;

/// What is wrong with evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceFault {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} does not belong to the evidence: it was added")]
    Added(String),
    #[error("{0} is not what its signed checksum says: it was changed or swapped")]
    Changed(&'static str),
    #[error("{SUMS} is not a list of the files of this evidence, in their order")]
    Sums,
    #[error("{SUMS} does not have the signature of the key that was given, {0}")]
    Signature(String),
    #[error("the journal in it has another head key than the one that was given: {0}")]
    OtherJournal(String),
    #[error("{FIGURES} can't be read: {0}")]
    FiguresForm(String),
    #[error(
        "the figures are of form {0}, and this program makes form {FORM}: checksums, signature, \
         entries and heads were checked; for the figures use the program that wrote them"
    )]
    OtherForm(u64),
    #[error("{FIGURES} says {says} at {place}, the entries say {entries}")]
    Figure {
        place: String,
        says: String,
        entries: String,
    },
    #[error("{ENTRIES}: {0}")]
    Entries(AuditFault),
    #[error("{ENTRIES} has no opening of {campaign} with the line {line}")]
    NoOpening { campaign: String, line: u16 },
    #[error("{0} is not the page of these figures and heads")]
    Page(&'static str),
    #[error("{HEADS}: {0}")]
    Heads(String),
    #[error("{0}")]
    KeptHead(AuditFault),
    #[error("{0} can't be read: {1}")]
    File(&'static str, io::Error),
}

/// What an auditor knows from elsewhere.
#[derive(Default)]
pub struct Expected<'a> {
    pub public_key: Option<[u8; 32]>,
    /// A head that was kept: the entries up to it must have it.
    pub head: Option<&'a KeptHead>,
}

impl Expected<'_> {
    /// A public key as people give it; none if it is not one.
    pub fn key_of(text: &str) -> Option<[u8; 32]> {
        read_public_key(text)
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Checked {
    pub faults: Vec<EvidenceFault>,
    pub campaign: String,
    pub opening: String,
    pub so_far: bool,
    /// The last entry that is in it.
    pub last: u64,
    pub hash: String,
    pub figures: u64,
    pub public_key: String,
}

/// What the entries of a folder say.
struct Recomputed {
    figures: Option<Figures>,
    hashes: BTreeMap<u64, Hash>,
    last: u64,
    hash: Hash,
    keys: KeysInForce,
}

/// Checks a folder.
///
/// # Errors
/// The folder can't be listed; everything else is a fault that is found.
pub fn check(folder: &Path, expected: &Expected) -> io::Result<Checked> {
    let mut found = Checked::default();
    let missing = names(folder, &mut found.faults)?;
    let figures = read_json(folder, FIGURES, &missing, &mut found.faults);
    let heads = read_json(folder, HEADS, &missing, &mut found.faults);
    let heads: Option<Heads> = heads.and_then(|value| {
        let heads = serde_json::from_value(value);
        let fault =
            |error: serde_json::Error| found.faults.push(EvidenceFault::Heads(error.to_string()));
        heads.map_err(fault).ok()
    });
    let key_told = figures
        .as_ref()
        .and_then(|told| read_public_key(told["journal"]["public_key"].as_str()?));
    let seqs = heads
        .iter()
        .flat_map(|heads| heads.before.iter().chain([&heads.after]));
    let seqs = seqs.chain(expected.head).map(|head| head.seq).collect();
    let recomputed = match (&figures, missing.contains(ENTRIES)) {
        (Some(told), false) => recompute(folder, told, &seqs, &mut found.faults),
        _ => None,
    };
    // The journal names the key of its last head: it may not be the one that was given.
    let of_last = recomputed
        .as_ref()
        .and_then(|found| found.keys.head_at(Seq(found.last)));
    let key = of_last.or(expected.public_key).or(key_told);
    sums(folder, key, &missing, &mut found.faults);
    if let (Some(told), Some(recomputed)) = (&figures, &recomputed) {
        compare(
            folder,
            told,
            heads.as_ref(),
            recomputed,
            expected,
            &missing,
            &mut found,
        );
    }
    if let Some(told) = &figures {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        found.campaign = text(&told["campaign"]["id"]);
        found.opening = text(&told["opened"]["from"]);
        found.so_far = told["so_far"] == true;
    }
    found.public_key = key.map(|key| HEXLOWER.encode(&key)).unwrap_or_default();
    Ok(found)
}

/// Looks at the names in a folder; those of its files that are missing.
fn names(folder: &Path, faults: &mut Vec<EvidenceFault>) -> io::Result<BTreeSet<&'static str>> {
    let mut missing: BTreeSet<&str> = COVERED.into_iter().chain([SUMS, SIGNATURE]).collect();
    let mut added = BTreeSet::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        let is_file = file.file_type()?.is_file();
        if !is_file || !missing.remove(name.as_str()) {
            added.insert(name);
        }
    }
    faults.extend(added.into_iter().map(EvidenceFault::Added));
    faults.extend(missing.iter().map(|name| EvidenceFault::Missing(name)));
    Ok(missing)
}

fn read_json(
    folder: &Path,
    name: &'static str,
    missing: &BTreeSet<&'static str>,
    faults: &mut Vec<EvidenceFault>,
) -> Option<Value> {
    if missing.contains(name) {
        return None;
    }
    let read = fs::read(folder.join(name)).map_err(|error| EvidenceFault::File(name, error));
    let fault = |error: serde_json::Error| match name {
        FIGURES => EvidenceFault::FiguresForm(error.to_string()),
        _ => EvidenceFault::Heads(error.to_string()),
    };
    let value = read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(fault));
    value.map_err(|fault| faults.push(fault)).ok()
}

/// Checks the signature of the checksums, and each file against its own.
fn sums(
    folder: &Path,
    key: Option<[u8; 32]>,
    missing: &BTreeSet<&'static str>,
    faults: &mut Vec<EvidenceFault>,
) {
    let read = |name: &'static str| {
        fs::read(folder.join(name)).map_err(|error| EvidenceFault::File(name, error))
    };
    if missing.contains(SUMS) {
        return;
    }
    let text = match read(SUMS) {
        Ok(text) => text,
        Err(fault) => return faults.push(fault),
    };
    if !missing.contains(SIGNATURE) {
        let told = key.map(|key| HEXLOWER.encode(&key)).unwrap_or_default();
        match read(SIGNATURE) {
            Ok(signed) => {
                let signed = String::from_utf8_lossy(&signed);
                let is_signed = key.and_then(|key| signature::verify(&key, &text, &signed));
                if is_signed.is_none() {
                    faults.push(EvidenceFault::Signature(told));
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    let Some(sums) = parse_sums(&text) else {
        return faults.push(EvidenceFault::Sums);
    };
    for (name, sum) in COVERED.into_iter().zip(sums) {
        if missing.contains(name) {
            continue;
        }
        match digest(&folder.join(name)) {
            Ok(digest) if digest == sum => {}
            Ok(_) => faults.push(EvidenceFault::Changed(name)),
            Err(error) => faults.push(EvidenceFault::File(name, error)),
        }
    }
}

/// The checksums of the covered files, in their order; none if it is not such a list.
fn parse_sums(text: &[u8]) -> Option<Vec<[u8; 32]>> {
    let text = str::from_utf8(text).ok()?.strip_suffix('\n')?;
    let mut lines = text.split('\n');
    let mut sums = Vec::new();
    for name in COVERED {
        let hex = lines.next()?.strip_suffix(name)?.strip_suffix("  ")?;
        sums.push(HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()?);
    }
    lines.next().is_none().then_some(sums)
}

fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let (mut digest, mut bytes) = (Sha256::default(), vec![0; READ_BYTES]);
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(digest.finish()),
            count => digest.update(&bytes[..count]),
        }
    }
}

/// Replays the entries of a folder.
fn recompute(
    folder: &Path,
    told: &Value,
    seqs: &BTreeSet<u64>,
    faults: &mut Vec<EvidenceFault>,
) -> Option<Recomputed> {
    let campaign = told["campaign"]["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let line = told["line"]
        .as_u64()
        .and_then(|line| u16::try_from(line).ok());
    let line = LineIndex(line.unwrap_or(u16::MAX));
    let origin = told["journal"]["origin"].as_str().map(str::to_owned);
    let wanted = Wanted {
        campaign,
        line,
        origin,
    };
    let file = match File::open(folder.join(ENTRIES)) {
        Ok(file) => BufReader::with_capacity(READ_BYTES, file),
        Err(error) => {
            faults.push(EvidenceFault::File(ENTRIES, error));
            return None;
        }
    };
    let source = BufReader::with_capacity(READ_BYTES, MultiGzDecoder::new(file));
    let mut state = State::default();
    let mut collector = Collector::new(wanted);
    let mut hashes = BTreeMap::new();
    let read = exported::read(source, &[], |Lines { entries, .. }| {
        let mut these = entries.iter();
        apply_all::<AuditFault>(&mut state, entries, |state, hash| {
            if seqs.contains(&state.seq.0) {
                hashes.insert(state.seq.0, *hash);
            }
            if let Some((entry, _)) = these.next() {
                collector.see(state, entry, hash);
            }
        })
    });
    if let Err(fault) = read {
        faults.push(EvidenceFault::Entries(fault));
        return None;
    }
    Some(Recomputed {
        figures: collector.finish(&state),
        hashes,
        last: state.seq.0,
        hash: state.head,
        keys: state.keys,
    })
}

/// Compares what a folder says with what its entries say.
fn compare(
    folder: &Path,
    told: &Value,
    heads: Option<&Heads>,
    recomputed: &Recomputed,
    expected: &Expected,
    missing: &BTreeSet<&'static str>,
    found: &mut Checked,
) {
    let faults = &mut found.faults;
    (found.last, found.hash) = (recomputed.last, recomputed.hash.to_string());
    let known = &recomputed.keys;
    let is_known = |given: [u8; 32]| known.heads.iter().any(|(_, known)| *known == given);
    if expected.public_key.is_some_and(|given| !is_known(given)) {
        let key = known
            .head()
            .map(|key| HEXLOWER.encode(&key))
            .unwrap_or_default();
        faults.push(EvidenceFault::OtherJournal(key));
    }
    if let Some(heads) = heads {
        check_heads(heads, recomputed, faults);
    }
    if let Some(kept) = expected.head {
        let there = recomputed.hashes.get(&kept.seq).copied();
        if let Err(fault) = check_kept(kept, there, known.head_at(Seq(kept.seq)).as_ref()) {
            faults.push(EvidenceFault::KeptHead(fault));
        }
    }
    let form = told["form"].as_u64().unwrap_or_default();
    if form != u64::from(FORM) {
        return faults.push(EvidenceFault::OtherForm(form));
    }
    let Some(figures) = &recomputed.figures else {
        let campaign = told["campaign"]["id"].to_string();
        let line = told["line"].as_u64().unwrap_or_default() as u16;
        return faults.push(EvidenceFault::NoOpening { campaign, line });
    };
    let entries = serde_json::to_value(figures).expect("figures have a JSON form");
    found.figures = count(&entries);
    if let Some((place, says, entries)) = difference(told, &entries, String::new()) {
        faults.push(EvidenceFault::Figure {
            place,
            says,
            entries,
        });
    }
    let Some(heads) = heads else { return };
    for (name, language) in [(PAGE, Language::Korean), (PAGE_EN, Language::English)] {
        let page = page::page(figures, heads, language);
        let is_it = |bytes: Vec<u8>| bytes == page.as_bytes();
        if !missing.contains(name) && !fs::read(folder.join(name)).is_ok_and(is_it) {
            faults.push(EvidenceFault::Page(name));
        }
    }
}

fn check_heads(heads: &Heads, recomputed: &Recomputed, faults: &mut Vec<EvidenceFault>) {
    for head in heads.before.iter().chain([&heads.after]) {
        let there = recomputed.hashes.get(&head.seq).copied();
        if let Err(fault) = check_kept(head, there, recomputed.keys.head_at(Seq(head.seq)).as_ref())
        {
            faults.push(EvidenceFault::Heads(fault.to_string()));
        }
    }
    if heads.after.seq != recomputed.last {
        let what = "the head after the evening is not that of the last entry".to_owned();
        faults.push(EvidenceFault::Heads(what));
    }
    let first = recomputed
        .figures
        .as_ref()
        .map(|figures| figures.span.first_entry);
    if let (Some(before), Some(first)) = (&heads.before, first)
        && before.seq >= first
    {
        let what = "the head before the evening is not before its first entry".to_owned();
        faults.push(EvidenceFault::Heads(what));
    }
}

/// How many values there are.
fn count(value: &Value) -> u64 {
    match value {
        Value::Array(all) => all.iter().map(count).sum(),
        Value::Object(all) => all.values().map(count).sum(),
        _ => 1,
    }
}

/// The first place at which two values differ, and both there.
fn difference(told: &Value, entries: &Value, place: String) -> Option<(String, String, String)> {
    match (told, entries) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            names.into_iter().find_map(|name| {
                let of = |all: &serde_json::Map<String, Value>| {
                    all.get(name).cloned().unwrap_or_default()
                };
                let place = if place.is_empty() {
                    name.clone()
                } else {
                    format!("{place}.{name}")
                };
                let is_there = one.contains_key(name) == other.contains_key(name);
                let whole = || (place.clone(), of(one).to_string(), of(other).to_string());
                if is_there {
                    difference(&of(one), &of(other), place)
                } else {
                    Some(whole())
                }
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut both = one.iter().zip(other).enumerate();
            both.find_map(|(at, (one, other))| difference(one, other, format!("{place}[{at}]")))
        }
        (Value::Array(one), Value::Array(other)) => {
            let rows = |all: &Vec<Value>| format!("{} rows", all.len());
            Some((place, rows(one), rows(other)))
        }
        (one, other) if one == other => None,
        (one, other) => Some((place, one.to_string(), other.to_string())),
    }
}
