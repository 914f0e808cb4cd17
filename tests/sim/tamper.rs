//! Whoever changes a stored byte, cuts a tail or edits an export is found, and where.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use sumun::audit::{AuditFault, KeptHead, Verified, export, verify_export, verify_store};
use sumun::domain::entry::{
    Change, Entry, GateAct, Hash, HoldEnd, Look, Purpose, Role, SessionAct, head_message,
};
use sumun::domain::ids::{CampaignIndex, LineIndex, PersonKey, Seq};
use sumun::domain::line::windows::{Basis, Plan};
use sumun::domain::line::{Given, Notice, commitment};
use sumun::domain::staff::account_act::AccountAct;
use sumun::domain::staff::api_key::{ApiKeyId, Scope};
use sumun::domain::staff::proposal::{Decision, KeyChange, Proposal};
use sumun::domain::staff::{AccountId, Bounds};
use sumun::domain::time::Stamp;
use sumun::journal::block::entries;
use sumun::journal::recovery::{RecoveryFault, recover};
use sumun::journal::store::Store;
use sumun::journal::vault::check_vault;

use crate::check::journal;
use crate::disk::{Backend, Disk};
use crate::story::Story;
use crate::world::{EVENING, keys};

pub const JOURNAL: TableDefinition<u64, &[u8]> = TableDefinition::new("journal");
const HEADS: TableDefinition<u64, &[u8]> = TableDefinition::new("heads");
const CHECKPOINT: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("checkpoint");
pub const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
pub const ROSTER: TableDefinition<u64, &[u8]> = TableDefinition::new("roster");

/// The file of the long evening, stopped in good order.
pub fn evening() -> Vec<u8> {
    let mut story = Story::new();
    story.long();
    story.run.check_replay();
    for (by, changes) in at_the_desk() {
        story.run.staff(by, changes);
    }
    story.run.stopped_after(at_the_gate())
}

/// What an administrator, an operator and an approver did.
fn at_the_desk() -> Vec<(&'static str, Vec<Change>)> {
    let roles = [
        ("admin", Role::Administrator),
        ("kim", Role::Operator),
        ("lee", Role::Approver),
    ];
    let accounts = (1..).zip(roles).flat_map(|(number, (name, role))| {
        let account = AccountId(number);
        let set = Change::StaffSet {
            account,
            name: name.to_owned(),
            role,
            bounds: Bounds::default(),
            enabled: true,
        };
        let credentials = Change::StaffCredentialsSet {
            account,
            sealed: vec![number as u8; 9],
            own: false,
        };
        let session = Change::StaffSession {
            account,
            act: SessionAct::SignedIn,
            origin: "10.1.2.3".to_owned(),
        };
        [set, credentials, session]
    });
    let (text, proposal) = ("[campaign]\n".to_owned(), 1);
    let proposed = Change::Proposed {
        proposal,
        parts: 1,
        sha256: sumun::crypto::sha256(text.as_bytes()),
        what: Box::new(Proposal::Campaign),
        reason: "August".to_owned(),
        takes: 5,
    };
    let decided = Change::ProposalDecided {
        proposal,
        decision: Decision::Approved,
        typed: 5,
        reason: "read".to_owned(),
    };
    let seen = Change::ProposalSeen {
        proposal,
        digest: [6; 16],
        named: true,
    };
    let ended = Change::ProposalEnded {
        proposal,
        done: false,
        what: "findings".to_owned(),
    };
    let keys = Change::Proposed {
        proposal: 2,
        parts: 0,
        sha256: sumun::crypto::sha256(b""),
        what: Box::new(Proposal::Keys {
            change: KeyChange::Heads,
        }),
        reason: "a year is over".to_owned(),
        takes: 0,
    };
    let agreed = Change::ProposalDecided {
        proposal: 2,
        decision: Decision::Approved,
        typed: 0,
        reason: "read".to_owned(),
    };
    let called_off = Change::ProposalCalledOff {
        proposal: 2,
        reason: "next month".to_owned(),
    };
    let scheduled = Change::ProposalScheduled {
        proposal,
        due: Stamp(1),
    };
    let step = Change::ProposalStepDone {
        proposal,
        step: 1,
        what: "300 seats".to_owned(),
    };
    let key = ApiKeyId(1);
    let made = Change::ApiKeyMade {
        key,
        name: "dashboard".to_owned(),
        sha256: [3; 32],
        scopes: vec![Scope::Board],
        bounds: Box::default(),
        until: EVENING.plus_s(30 * 86_400),
        reason: "a wall".to_owned(),
    };
    let reason = Change::ReasonGiven {
        reason: "the queue grows".to_owned(),
    };
    let part = 0;
    let parts = Change::ProposalPart {
        proposal,
        part,
        text,
    };
    let of_provider = Change::ProviderAccountMade {
        account: AccountId(4),
        name: "park".to_owned(),
        subject: [6; 32],
        role: Role::Auditor,
        bounds: Box::default(),
        enabled: true,
    };
    vec![
        ("admin", accounts.collect()),
        ("admin", vec![made, Change::ApiKeyEnded { key }, reason]),
        ("admin", [asking(1), asking(2)].to_vec()),
        ("kim", vec![parts, proposed, scheduled]),
        ("lee", vec![decided, seen, step, ended]),
        ("kim", vec![keys]),
        ("lee", vec![agreed, called_off]),
        (
            "lee",
            vec![
                Change::AccountActConfirmed { act: 1 },
                Change::AccountActDropped { act: 2 },
                of_provider,
            ],
        ),
    ]
}

/// An administrator wants another first password for the operator.
fn asking(act: u32) -> Change {
    Change::AccountActAsked {
        act,
        what: Box::new(AccountAct::Reset {
            account: AccountId(2),
        }),
        sealed: vec![4; 9],
        reason: "lost".to_owned(),
    }
}

/// What the gate's keeper and an operator have journalled in an evening.
fn at_the_gate() -> Vec<Change> {
    let campaign = CampaignIndex(0);
    let person = |at: u8| PersonKey([at; 16]);
    let (opening, seed) = (Stamp(1), [5; 32]);
    let given = |number, draw| Given::new(number, draw);
    let notice = || Notice {
        text: "why".to_owned(),
        en: Some("why in English".to_owned()),
    };
    let acts = [
        GateAct::Pause {
            reason: "why".to_owned(),
            freezes: true,
        },
        GateAct::Rate { admit_per_s: 5 },
        GateAct::Active { active_max: 6 },
        GateAct::Message {
            text: "hello".to_owned(),
        },
        GateAct::PauseSaid {
            reason: notice(),
            freezes: false,
        },
        GateAct::MessageSaid { message: notice() },
        GateAct::Drain { reason: notice() },
        GateAct::Resume,
    ];
    let line = [
        Change::NumbersLeased {
            campaign,
            line: LineIndex(0),
            first: 1,
            until: 100,
        },
        Change::DrawCommitted {
            campaign,
            line: LineIndex(0),
            opening,
            commitment: commitment(&seed),
        },
        Change::PlacesGiven {
            campaign,
            line: LineIndex(0),
            places: vec![(person(1), given(1, true)), (person(2), given(2, false))],
        },
        Change::DrawRevealed {
            campaign,
            line: LineIndex(0),
            seed,
        },
        Change::WindowsPlanned {
            campaign,
            line: LineIndex(0),
            plan: Plan {
                at: opening,
                basis: Basis {
                    from: opening,
                    until: opening.plus_s(7_200),
                    window_s: 600,
                    window_people: 1_000,
                },
                people: 3_500,
                first_lot: 0,
                from: opening,
                windows: 4,
            },
        },
        Change::ServingAdvanced {
            campaign,
            line: LineIndex(0),
            serving: 2,
        },
        Change::LineEnded {
            campaign,
            line: LineIndex(0),
        },
    ];
    let set = acts
        .into_iter()
        .map(|act| Change::GateSet { campaign, act });
    let key = Change::TokenKeyRotated { id: 2 };
    let (from, to) = (person(1), person(101));
    let rekeyed = Change::PersonRekeyed { from, to };
    let mut all: Vec<_> = line.into_iter().chain(set).chain([key, rekeyed]).collect();
    all.extend(of_personal_data(person(1)));
    all
}

/// What operators and the program journal of names and telephone numbers.
fn of_personal_data(person: PersonKey) -> [Change; 4] {
    let reason = || "asked for it".to_owned();
    [
        Change::PersonalKeysRotated { id: 1 },
        Change::VaultSealed {
            roster: IMPORTED,
            rows: 3,
            digest: [7; 32],
        },
        Change::PersonalDataSeen(Look {
            purpose: Purpose::Shown,
            origin: "console".to_owned(),
            reason: reason(),
            people: vec![person],
        }),
        Change::PersonErased {
            person,
            version: IMPORTED,
            row: [8; 32],
            reason: reason(),
        },
    ]
}

/// The version of the roster that is in force in the evening.
const IMPORTED: u32 = 1;

pub fn with_store<T>(bytes: &[u8], look: impl FnOnce(&Store) -> T) -> T {
    look(&Disk::with(bytes.to_vec()).open().unwrap())
}

/// The file after somebody with the right tools was at it.
pub fn tampered(bytes: &[u8], tamper: impl FnOnce(&redb::WriteTransaction)) -> Vec<u8> {
    let disk = Disk::with(bytes.to_vec());
    let database = Database::builder()
        .create_with_backend(Backend(disk.clone()))
        .unwrap();
    let write = database.begin_write().unwrap();
    tamper(&write);
    write.commit().unwrap();
    drop(database);
    disk.bytes()
}

pub fn rows<K: redb::Key + for<'a> redb::Value<SelfType<'a> = N>, N>(
    bytes: &[u8],
    table: TableDefinition<K, &[u8]>,
) -> Vec<(N, Vec<u8>)> {
    let database = Database::builder()
        .create_with_backend(Backend(Disk::with(bytes.to_vec())))
        .unwrap();
    let read = database.begin_read().unwrap();
    let table = read.open_table(table).unwrap();
    let row = |row: Result<(redb::AccessGuard<K>, redb::AccessGuard<&[u8]>), _>| {
        let (key, value) = row.unwrap();
        (key.value(), value.value().to_vec())
    };
    table.iter().unwrap().map(row).collect()
}

fn lines(store: &Store) -> Vec<String> {
    let mut text = Vec::new();
    export(&store.read().unwrap(), Seq(1), Seq(u64::MAX), &mut text).unwrap();
    String::from_utf8(text)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn check_lines(lines: &[String], kept: Option<&KeptHead>) -> Result<Verified, AuditFault> {
    let text = lines
        .iter()
        .map(|line| line.clone() + "\n")
        .collect::<String>();
    verify_export(text.as_bytes(), kept)
}

/// The last signed head, as an auditor keeps it.
fn kept(store: &Store) -> KeptHead {
    use data_encoding::HEXLOWER;
    let head = store.read().unwrap().last_head().unwrap().unwrap();
    KeptHead {
        seq: head.seq.0,
        stamp_ns: head.stamp.0,
        stamp: Some(head.stamp.instant().to_string()),
        hash: head.hash.to_string(),
        signature: HEXLOWER.encode(&head.signature),
        public_key: HEXLOWER.encode(&keys().head_public_key()),
    }
}

/// The entry that a fault names.
pub fn named(fault: &AuditFault) -> Option<u64> {
    match fault {
        AuditFault::Entry { seq, .. } | AuditFault::KeptHead { seq, .. } => Some(*seq),
        AuditFault::Recovery(fault) => named_by_recovery(fault),
        _ => None,
    }
}

pub fn named_by_recovery(fault: &RecoveryFault) -> Option<u64> {
    match fault {
        RecoveryFault::Entry { seq, .. } | RecoveryFault::Head { seq, .. } => Some(seq.0),
        RecoveryFault::Contradiction(contradiction) => Some(contradiction.seq.0),
        _ => None,
    }
}

#[test]
fn the_evening_has_every_kind_of_entry() {
    let found = with_store(&evening(), |store| journal(&store.read().unwrap(), 0));
    let kind = |entry: &Entry| match &entry.change {
        Change::Founded { .. } => 0,
        Change::Started { .. } => 1,
        Change::ClockStepped { .. } => 2,
        Change::ClockBehind { .. } => 3,
        Change::CampaignActivated { .. } => 4,
        Change::SitesImported { .. } => 5,
        Change::SlotsSet { .. } => 6,
        Change::RosterImported { .. } => 7,
        Change::HoldPlaced { .. } => 8,
        Change::HoldEnded {
            reason: HoldEnd::Expired,
            ..
        } => 9,
        Change::HoldEnded {
            reason: HoldEnd::Released,
            ..
        } => 10,
        Change::HoldEnded {
            reason: HoldEnd::Closed,
            ..
        } => 43,
        Change::Booked { hold: Some(_), .. } => 11,
        Change::Booked { .. } => 12,
        Change::Moved { .. } => 13,
        Change::Cancelled { .. } => 14,
        Change::Refused { .. } => 15,
        Change::NumbersLeased { .. } => 16,
        Change::PlacesGiven { .. } => 17,
        Change::ServingAdvanced { .. } => 18,
        Change::DrawCommitted { .. } => 19,
        Change::DrawRevealed { .. } => 20,
        Change::GateSet { .. } => 21,
        Change::TokenKeyRotated { .. } => 22,
        Change::PieceAdded { .. } => 23,
        Change::PersonRekeyed { .. } => 24,
        Change::LineEnded { .. } => 25,
        Change::WindowsPlanned { .. } => 26,
        Change::AgencyActivated { .. } => 27,
        Change::Agreed { .. } => 28,
        Change::HoldExtended { .. } => 29,
        Change::PersonalKeysRotated { .. } => 30,
        Change::VaultSealed { .. } => 31,
        Change::PersonalDataSeen(_) => 32,
        Change::PersonErased { .. } => 33,
        // Heads behind the one have another key, and rows before the other are gone: journals with
        // them are in `tests/it/rotation.rs` and `tests/it/personal.rs`.
        // Only earlier programs wrote `SlotsImported`.
        Change::HeadKeyRotated { .. }
        | Change::VaultEmptied { .. }
        | Change::SlotsImported { .. } => {
            unreachable!("it is not in this evening")
        }
        Change::LineTold { .. } => 34,
        Change::Stopped {} => 35,
        Change::StaffSet { .. } => 36,
        Change::StaffCredentialsSet { .. } => 37,
        Change::StaffSession { .. } => 38,
        Change::ProposalPart { .. } => 39,
        Change::Proposed { .. } => 40,
        Change::ProposalDecided { .. } => 41,
        Change::ProposalEnded { .. } => 42,
        Change::RelocationBegun { .. } => 44,
        Change::SlotsClosed { .. } => 45,
        Change::SlotsReopened { .. } => 46,
        Change::MoveOffered { .. } => 47,
        Change::Relocated { .. } => 48,
        Change::ReasonGiven { .. } => 49,
        Change::ProposalScheduled { .. } => 50,
        Change::ProposalStepDone { .. } => 51,
        Change::ApiKeyMade { .. } => 52,
        Change::ApiKeyEnded { .. } => 53,
        Change::AccountActAsked { .. } => 54,
        Change::AccountActConfirmed { .. } => 55,
        Change::AccountActDropped { .. } => 56,
        Change::ProposalSeen { .. } => 57,
        Change::ProposalCalledOff { .. } => 58,
        Change::ProviderAccountMade { .. } => 59,
    };
    let kinds: std::collections::BTreeSet<u8> = found.iter().map(kind).collect();
    assert!(kinds.iter().copied().eq(0..60), "{kinds:?}");
    assert!(found.len() >= 60, "{} entries", found.len());
}

#[test]
fn a_flipped_byte_anywhere_in_a_stored_block_is_found_and_named() {
    let bytes = evening();
    let blocks = rows(&bytes, JOURNAL);
    let last = with_store(&bytes, |store| {
        journal(&store.read().unwrap(), 0).len() as u64
    });
    let (mut flipped, mut not_read) = (0, 0);
    let served = with_store(&bytes, |store| {
        recover(&store.read().unwrap()).unwrap().state
    });
    for (first, block) in blocks {
        let mut owner = Vec::new();
        for (at, entry) in entries(&block).enumerate() {
            let bytes = entry.unwrap().len() + 4;
            owner.extend(std::iter::repeat_n(first + at as u64, bytes));
        }
        for at in 0..block.len() {
            let mut changed = block.clone();
            changed[at] ^= 1 << (at % 8);
            let bytes = tampered(&bytes, |write| {
                let mut journal = write.open_table(JOURNAL).unwrap();
                journal.insert(first, changed.as_slice()).unwrap();
            });
            with_store(&bytes, |store| {
                let read = store.read().unwrap();
                let fault = verify_store(&read, None).expect_err("a flipped byte passed");
                let seq = named(&fault).unwrap_or_else(|| panic!("{fault} names nobody"));
                let entry = owner[at];
                assert!(
                    seq == entry || seq == entry + 1 && entry < last,
                    "byte {at} of entry {entry}: {fault}"
                );
                assert!(fault.to_string().contains(&seq.to_string()), "{fault}");
                // A start reads what follows its checkpoint. What it serves is never changed.
                if at % 5 == 0
                    && let Ok(recovered) = recover(&read)
                {
                    assert_eq!(recovered.state, served, "a flipped byte would be served");
                    not_read += 1;
                }
            });
            flipped += 1;
        }
    }
    println!("{flipped} bytes flipped, {not_read} of them before the checkpoint");
    assert!(flipped > 4_000 && not_read < flipped / 5);
}

/// A start does without a damaged checkpoint and says so; an auditor is told.
#[test]
fn a_flipped_byte_of_a_checkpoint_is_ignored_by_a_start_and_found_by_verify() {
    let mut story = Story::new();
    story.long();
    story.run.checkpoint();
    let bytes = story.run.stopped_after(at_the_gate());
    let with = |bytes: &[u8]| {
        with_store(bytes, |store| {
            let read = store.read().unwrap();
            let recovered = recover(&read).expect("the journal is whole");
            (recovered, verify_store(&read, None).map(|_| ()))
        })
    };
    let (whole, verified) = with(&bytes);
    verified.expect("the file verifies");
    assert_eq!(whole.ignored, None);
    let parts: Vec<_> = checkpoint_parts(&bytes);
    assert!(parts.len() > 5, "{} parts", parts.len());
    let mut flipped = 0;
    for (key, part) in parts {
        for at in (0..part.len()).step_by(3) {
            let mut changed = part.clone();
            changed[at] ^= 1 << (at % 8);
            let bytes = tampered(&bytes, |write| {
                let mut table = write.open_table(CHECKPOINT).unwrap();
                table.insert(key, changed.as_slice()).unwrap();
            });
            let (recovered, verified) = with(&bytes);
            assert!(recovered.ignored.is_some(), "byte {at} of part {key:?}");
            assert_eq!(recovered.state, whole.state);
            assert!(verified.is_err(), "byte {at} of part {key:?}");
            flipped += 1;
        }
    }
    println!("{flipped} bytes flipped");
    let (key, mark) = ("checkpoint", checkpoint_mark(&bytes));
    for at in 0..mark.len() {
        let mut changed = mark.clone();
        changed[at] ^= 1 << (at % 8);
        let bytes = tampered(&bytes, |write| {
            let mut table = write.open_table(META).unwrap();
            table.insert(key, changed.as_slice()).unwrap();
        });
        with_store(&bytes, |store| {
            // A mark that can't be read is damage; any other is ignored or says another generation.
            let recovered = recover(&store.read().unwrap());
            if let Ok(recovered) = recovered {
                assert!(recovered.ignored.is_some(), "byte {at} of the mark");
                assert_eq!(recovered.state, whole.state);
            }
        });
    }
}

fn checkpoint_mark(bytes: &[u8]) -> Vec<u8> {
    let database = Database::builder()
        .create_with_backend(Backend(Disk::with(bytes.to_vec())))
        .unwrap();
    let read = database.begin_read().unwrap();
    let table = read.open_table(META).unwrap();
    table.get("checkpoint").unwrap().unwrap().value().to_vec()
}

fn checkpoint_parts(bytes: &[u8]) -> Vec<((u64, u32), Vec<u8>)> {
    let database = Database::builder()
        .create_with_backend(Backend(Disk::with(bytes.to_vec())))
        .unwrap();
    let read = database.begin_read().unwrap();
    let table = read.open_table(CHECKPOINT).unwrap();
    let rows = table.iter().unwrap().map(|row| {
        let (key, part) = row.unwrap();
        (key.value(), part.value().to_vec())
    });
    rows.collect()
}

/// A block's first entry, first byte, and the byte behind its last.
type Placed = (u64, usize, usize);

/// The two files of an evening whose process was killed, and where in the tail the blocks lie that
/// are not settled.
fn killed() -> ([Vec<u8>; 2], Vec<Placed>) {
    let mut story = Story::new();
    story.long();
    let files = story.run.disk.both();
    let file = rows(&files[0], JOURNAL)
        .pop()
        .expect("something is settled");
    let settled = file.0 + entries(&file.1).count() as u64 - 1;
    let number = |at: usize, bytes: usize| {
        let field = &files[1][at..at + bytes];
        field
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let begins = (4096..files[1].len()).step_by(4096);
    let begins = begins.filter(|at| files[1][*at..].starts_with(b"sumunblk"));
    // Mark and file take 24 bytes, turn, first, entries and length 8, 8, 4 and 4; the whole head
    // takes 120.
    let block = |at: usize| {
        (
            number(at + 32, 8),
            at,
            at + 120 + number(at + 44, 4) as usize,
        )
    };
    let mut blocks: Vec<_> = begins.map(block).collect();
    blocks.retain(|(first, ..)| *first > settled);
    blocks.sort_unstable();
    assert!(blocks.len() >= 3, "{blocks:?}");
    (files, blocks)
}

#[test]
fn a_flipped_byte_of_the_tail_is_named_unless_it_cuts_the_very_last_block_short() {
    let (files, blocks) = killed();
    let open = |tail: Vec<u8>| Disk::with_both([files[0].clone(), tail]).open();
    let whole = journal(&open(files[1].clone()).unwrap().read().unwrap(), 0);
    let newest = blocks.len() - 1;
    for (number, &(first, from, to)) in blocks.iter().enumerate() {
        for at in from..to {
            let mut tail = files[1].clone();
            tail[at] ^= 1 << (at % 8);
            match open(tail) {
                Err(fault) => {
                    let fault = fault.to_string();
                    assert!(number < newest, "byte {at} of the last block: {fault}");
                    assert!(fault.contains("later entries are there"), "{fault}");
                    // A byte of an entry may be missed only where the next one has its hash.
                    let mut of_block = first..blocks[number + 1].0;
                    assert!(
                        of_block.any(|seq| fault.contains(&format!("entry {seq} "))),
                        "{first}: {fault}"
                    );
                }
                Ok(store) => {
                    assert_eq!(number, newest, "byte {at} of a block before the last");
                    let left = journal(&store.read().unwrap(), 0);
                    assert_eq!(left, whole[..first as usize - 1]);
                }
            }
        }
    }
    for at in 0..68 {
        let mut tail = files[1].clone();
        tail[at] ^= 1 << (at % 8);
        let fault = open(tail).err().expect("a changed first page").to_string();
        assert!(fault.contains("sumun.tail"), "{fault}");
    }
}

#[test]
fn a_tail_that_was_cut_or_lost_is_found() {
    let (files, blocks) = killed();
    let open = |tail: Vec<u8>| Disk::with_both([files[0].clone(), tail]).open();
    let newest = with_newest_head(&files);
    let (_, last, _) = blocks[blocks.len() - 1];
    let mut cut = files[1].clone();
    cut[last..last + 8].fill(0);
    let store = open(cut).unwrap();
    let fault = verify_store(&store.read().unwrap(), Some(&newest)).map(|_| ());
    let fault = fault.expect_err("a cut tail passed").to_string();
    assert!(fault.contains("the tail was cut"), "{fault}");
    assert!(
        open(Vec::new()).is_err(),
        "the tail of a served file is gone"
    );
    let mut short = files[1].clone();
    short.truncate(20_000);
    assert!(open(short).is_err());
}

/// Some bytes of every page of the data file: whatever redb makes of them, nothing panics, and what
/// passes is what was there.
#[test]
fn a_flipped_byte_of_any_page_of_the_data_file_is_found_or_means_nothing() {
    let bytes = evening();
    let look = |bytes: &[u8]| -> Result<(u64, u64), String> {
        let store = Disk::with(bytes.to_vec())
            .open()
            .map_err(|fault| fault.to_string())?;
        let read = store.read().map_err(|fault| fault.to_string())?;
        let verified = verify_store(&read, None);
        let (verified, state) = verified.map_err(|fault| fault.to_string())?;
        let roster = read.roster().map_err(|fault| fault.to_string())?;
        let roster = roster.unwrap_or_default();
        let vault = check_vault(&read, &roster, &state, Some(&keys()));
        let vault = vault.map_err(|fault| fault.to_string())?;
        if vault.faults_total > 0 {
            return Err("a row of the vault".to_owned());
        }
        Ok((verified.last, vault.rows))
    };
    let whole = look(&bytes).expect("an evening is whole");
    let (mut found, mut tried) = (0, 0);
    for at in (0..bytes.len()).step_by(211) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        tried += 1;
        match look(&changed) {
            Ok(seen) => assert_eq!(seen, whole, "byte {at}"),
            Err(_) => found += 1,
        }
    }
    println!("{found} of {tried} found");
    assert!(found > 30, "the file is not empty");
}

/// A copy of the folder's tail from earlier in the evening, put beside the data file of later.
#[test]
fn an_older_tail_beside_a_newer_data_file_is_found() {
    let mut story = Story::new();
    story.set_up();
    story.book(1, 2);
    let [_, older] = story.run.disk.both();
    story.book(11, 3);
    story.run.settle_tail();
    let [file, newer] = story.run.disk.both();
    let open = |tail: Vec<u8>| Disk::with_both([file.clone(), tail]).open();
    assert!(open(newer).is_ok());
    let fault = open(older).map(|_| ()).expect_err("an older tail passed");
    assert!(fault.to_string().contains("it is an older copy"), "{fault}");
}

/// The head of the last entry, signed by whoever opens these files.
fn with_newest_head(files: &[Vec<u8>; 2]) -> KeptHead {
    let disk = Disk::with_both(files.clone());
    let clock = sumun::clock::Clock::manual(Stamp(i64::MAX / 2));
    let mut core = sumun::engine::open::open(disk.open().unwrap(), keys(), |_| clock).unwrap();
    core.close().unwrap();
    kept(core.store())
}

#[test]
fn a_flipped_byte_of_a_head_or_of_the_roster_is_found() {
    let bytes = evening();
    for (seq, head) in rows(&bytes, HEADS) {
        for at in 0..head.len() {
            let mut changed = head.clone();
            changed[at] ^= 1 << (at % 8);
            let bytes = tampered(&bytes, |write| {
                write
                    .open_table(HEADS)
                    .unwrap()
                    .insert(seq, changed.as_slice())
                    .unwrap();
            });
            let checked = with_store(&bytes, |store| {
                verify_store(&store.read().unwrap(), None).map(|(verified, _)| verified)
            });
            assert!(checked.is_err(), "byte {at} of head {seq}");
        }
    }
    for (chunk, people) in rows(&bytes, ROSTER) {
        for at in 0..people.len() {
            let mut changed = people.clone();
            changed[at] ^= 1 << (at % 8);
            let bytes = tampered(&bytes, |write| {
                write
                    .open_table(ROSTER)
                    .unwrap()
                    .insert(chunk, changed.as_slice())
                    .unwrap();
            });
            let served = with_store(&bytes, |store| recover(&store.read().unwrap()).is_ok());
            assert!(!served, "byte {at} of the roster");
        }
    }
}

#[test]
fn a_cut_tail_is_found_by_the_heads_in_the_file_or_by_one_kept_elsewhere() {
    let bytes = evening();
    let newest = with_store(&bytes, kept);
    let (last, _) = rows(&bytes, JOURNAL).pop().unwrap();
    let cut = tampered(&bytes, |write| {
        write.open_table(JOURNAL).unwrap().remove(last).unwrap();
    });
    let fault = |bytes: &[u8], head| {
        with_store(bytes, |store| {
            verify_store(&store.read().unwrap(), head).err()
        })
    };
    let found = fault(&cut, None).expect("the heads attest the tail");
    assert!(found.to_string().contains("its tail was cut"), "{found}");
    // Whoever cuts the heads too leaves a file that is whole by itself.
    let older = tampered(&cut, |write| {
        let mut heads = write.open_table(HEADS).unwrap();
        heads.retain(|seq, _| seq < last).unwrap();
    });
    let older_kept = with_store(&older, kept);
    assert!(fault(&older, None).is_none());
    assert!(fault(&older, Some(&older_kept)).is_none());
    let found = fault(&older, Some(&newest)).expect("the kept head is newer than the file");
    assert!(found.to_string().contains("the tail was cut"), "{found}");
    // A journal written anew with the same secrets does not fit a head that was signed before.
    let hash = Hash::parse(&newest.hash).unwrap();
    let message = head_message(Seq(older_kept.seq), &hash, Stamp(older_kept.stamp_ns));
    let rewritten = KeptHead {
        hash: newest.hash.clone(),
        signature: data_encoding::HEXLOWER.encode(&keys().sign_at(Seq(1), &message)),
        ..older_kept.clone()
    };
    let found = fault(&bytes, Some(&rewritten)).expect("the entry has another hash");
    assert!(found.to_string().contains("it was rewritten"), "{found}");
    let shown_later = KeptHead {
        stamp: Some(Stamp(newest.stamp_ns + 1).instant().to_string()),
        ..newest.clone()
    };
    let found = fault(&bytes, Some(&shown_later)).expect("it shows another time");
    assert!(found.to_string().contains("another time"), "{found}");
    assert!(fault(&bytes, Some(&newest)).is_none());
}

#[test]
fn an_export_verifies_and_any_edit_of_it_is_found() {
    let (all, newest) = with_store(&evening(), |store| (lines(store), kept(store)));
    let count = all.len();
    assert_eq!(check_lines(&all, Some(&newest)).unwrap().last, count as u64);
    // What begins later is an export too, and says so.
    assert_eq!(check_lines(&all[1..], Some(&newest)).unwrap().first, 2);
    for at in 0..count {
        let mut removed = all.clone();
        removed.remove(at);
        let found = check_lines(&removed, Some(&newest));
        assert!(at == 0 || found.is_err(), "line {at} removed");
        let mut doubled = all.clone();
        doubled.insert(at, all[at].clone());
        assert!(
            check_lines(&doubled, Some(&newest)).is_err(),
            "line {at} doubled"
        );
        if at > 0 {
            let mut swapped = all.clone();
            swapped.swap(at - 1, at);
            assert!(
                check_lines(&swapped, Some(&newest)).is_err(),
                "line {at} swapped"
            );
        }
        // A reader who takes the first of two equal keys would see another number.
        let mut twice = all.clone();
        twice[at] = twice[at].replacen('{', "{\"seq\":77,", 1);
        let fault = check_lines(&twice, None).expect_err("a key was written twice");
        let number = at as u64 + 1;
        assert!(
            matches!(fault, AuditFault::Line { line, .. } if line == number),
            "{fault}"
        );
        for byte in 0..all[at].len() {
            flip_in_line(&all, at, byte, &newest);
        }
    }
    assert!(check_lines(&[], None).is_err(), "nothing is not an export");
}

/// Flips a byte of a line; the line and the one after it are enough to find it.
fn flip_in_line(all: &[String], at: usize, byte: usize, newest: &KeptHead) {
    let mut line = all[at].clone().into_bytes();
    line[byte] ^= 1 << (byte % 7);
    let mut text = line;
    text.push(b'\n');
    if let Some(next) = all.get(at + 1) {
        text.extend_from_slice(next.as_bytes());
        text.push(b'\n');
    }
    let head = (at + 1 == all.len()).then_some(newest);
    let fault = verify_export(text.as_slice(), head);
    let fault = fault.expect_err("a flipped byte of an export passed");
    let seq = at as u64 + 1;
    let right = match &fault {
        AuditFault::Line { line, .. } => *line <= 2,
        other => named(other).is_some_and(|named| named == seq || named == seq + 1),
    };
    assert!(right, "byte {byte} of line {seq}: {fault}");
}
