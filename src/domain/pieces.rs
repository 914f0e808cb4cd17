//! Lists that are too long for one entry: split into pieces when they are journalled, and put
//! together again when they are applied.
//!
//! A list is some `PieceAdded` entries and one last entry that puts all of it into force. Entries
//! of other people may stand between. One list is in progress at a time; one that was never ended
//! is thrown away by the first piece of the next. Invariant: nothing of a list is in force before
//! its last entry, and that entry's counts say whether every piece is there.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::agency::Agency;
use crate::domain::agency::rows::AgencyRow;
use crate::domain::booking::site::{SiteRow, SlotRow};
use crate::domain::campaign::Campaign;
use crate::domain::campaign::rows::CampaignRow;
use crate::domain::entry::{Change, ENTRY_BYTES_MAX, Hash, Piece, encoded_bytes};
use crate::domain::ids::{CampaignIndex, RelocationIndex, SlotIndex};

/// Encoded rows or text in one piece. The rest of the entry is its header of 49 bytes, an actor of
/// at most 150 and a few numbers: what is left of `ENTRY_BYTES_MAX` is more than enough.
pub const PIECE_BYTES_MAX: usize = ENTRY_BYTES_MAX - 1_000;

/// A row that alone is longer than an entry may be. Readers bound every text, so no row is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "a row has {0} bytes, and at most {PIECE_BYTES_MAX} fit into the journal: shorten its texts"
)]
pub struct RowTooLong(pub usize);

/// Splits rows into runs whose encoded sizes add up to at most `PIECE_BYTES_MAX`.
pub fn split<T: Serialize>(rows: &[T]) -> Result<Vec<&[T]>, RowTooLong> {
    let mut runs = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, row) in rows.iter().enumerate() {
        let row_bytes = encoded_bytes(row);
        if row_bytes > PIECE_BYTES_MAX {
            return Err(RowTooLong(row_bytes));
        }
        if bytes + row_bytes > PIECE_BYTES_MAX {
            runs.push(&rows[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += row_bytes;
    }
    if from < rows.len() {
        runs.push(&rows[from..]);
    }
    Ok(runs)
}

/// Splits a text into parts of at most `PIECE_BYTES_MAX` bytes, between characters.
fn split_text(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES_MAX));
        parts.push(part);
        rest = after;
    }
    parts
}

/// The entries that put a campaign file, compiled to `rules`, into force.
pub fn activation(
    campaign: CampaignIndex,
    version: u32,
    source: &str,
    rules: &Campaign,
) -> Result<Vec<Change>, RowTooLong> {
    let rows = rules.rows();
    let pieces = with_source(source, &rows, Piece::Rules)?;
    let last = Change::CampaignActivated {
        campaign,
        version,
        parts: pieces.len() as u32,
        rows: rows.len() as u32,
        source_sha256: Hash::of(source.as_bytes()).0,
    };
    Ok(list(campaign, pieces, last))
}

/// The entries that put an agency's file, compiled to `agency`, into force.
pub fn agency(
    campaign: CampaignIndex,
    version: u32,
    source: &str,
    agency: &Agency,
) -> Result<Vec<Change>, RowTooLong> {
    let rows = agency.rows();
    let pieces = with_source(source, &rows, Piece::Agency)?;
    let last = Change::AgencyActivated {
        campaign,
        version,
        parts: pieces.len() as u32,
        rows: rows.len() as u32,
        source_sha256: Hash::of(source.as_bytes()).0,
    };
    Ok(list(campaign, pieces, last))
}

/// The pieces of a file that is kept with what it meant: its text, then its rows.
fn with_source<T: Serialize + Clone>(
    source: &str,
    rows: &[T],
    piece: impl Fn(Vec<T>) -> Piece,
) -> Result<Vec<Piece>, RowTooLong> {
    let texts = split_text(source).into_iter();
    let texts = texts.map(|text| Piece::Source(text.to_owned()));
    let runs = split(rows)?.into_iter();
    Ok(texts.chain(runs.map(|run| piece(run.to_vec()))).collect())
}

/// The entries that import these sites; none for no rows.
pub fn sites(campaign: CampaignIndex, rows: &[SiteRow]) -> Result<Vec<Change>, RowTooLong> {
    let runs = split(rows)?.into_iter();
    let pieces: Vec<_> = runs.map(|run| Piece::Sites(run.to_vec())).collect();
    let last = Change::SitesImported {
        campaign,
        parts: pieces.len() as u32,
        rows: rows.len() as u32,
    };
    Ok(list(campaign, pieces, last))
}

/// The entries that import these slots; none for no rows.
pub fn slots(campaign: CampaignIndex, rows: &[SlotRow]) -> Result<Vec<Change>, RowTooLong> {
    let runs = split(rows)?.into_iter();
    let pieces: Vec<_> = runs.map(|run| Piece::Slots(run.to_vec())).collect();
    let last = Change::SlotsSet {
        campaign,
        parts: pieces.len() as u32,
        rows: rows.len() as u32,
    };
    Ok(list(campaign, pieces, last))
}

/// The entries that close these slots, or open them again; none for no slots.
pub fn closing(
    campaign: CampaignIndex,
    slots: &[SlotIndex],
    closed_by: Option<RelocationIndex>,
) -> Result<Vec<Change>, RowTooLong> {
    let runs = split(slots)?.into_iter();
    let pieces: Vec<_> = runs.map(|run| Piece::Closing(run.to_vec())).collect();
    let (parts, rows) = (pieces.len() as u32, slots.len() as u32);
    let last = match closed_by {
        Some(relocation) => Change::SlotsClosed {
            campaign,
            parts,
            rows,
            relocation,
        },
        None => Change::SlotsReopened {
            campaign,
            parts,
            rows,
        },
    };
    Ok(list(campaign, pieces, last))
}

fn list(campaign: CampaignIndex, pieces: Vec<Piece>, last: Change) -> Vec<Change> {
    if pieces.is_empty() {
        return Vec::new();
    }
    let numbered = (0_u32..).zip(pieces);
    let added = numbered.map(|(part, piece)| Change::PieceAdded {
        campaign,
        part,
        piece,
    });
    added.chain([last]).collect()
}

/// The list in progress.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Pending {
    campaign: CampaignIndex,
    parts: u32,
    source: String,
    rules: Vec<CampaignRow>,
    sites: Vec<SiteRow>,
    /// Piece by piece: one list of millions would be moved as it grows, and copied with the state.
    slots: Vec<Arc<Vec<SlotRow>>>,
    agency: Vec<AgencyRow>,
    closing: Vec<SlotIndex>,
}

impl Pending {
    /// Adds a piece to the list in progress, or begins one with it.
    pub fn add(
        pending: &mut Option<Self>,
        campaign: CampaignIndex,
        part: u32,
        piece: &Piece,
    ) -> Result<(), String> {
        if part == 0 {
            *pending = Some(Self {
                campaign,
                parts: 0,
                source: String::new(),
                rules: Vec::new(),
                sites: Vec::new(),
                slots: Vec::new(),
                agency: Vec::new(),
                closing: Vec::new(),
            });
        }
        let list = pending
            .as_mut()
            .filter(|list| (list.campaign, list.parts) == (campaign, part));
        let list =
            list.ok_or_else(|| format!("is part {part} of a list that has not come so far"))?;
        list.parts += 1;
        match piece {
            Piece::Source(text) => list.source.push_str(text),
            Piece::Rules(rows) => list.rules.extend_from_slice(rows),
            Piece::Sites(rows) => list.sites.extend_from_slice(rows),
            Piece::Slots(rows) => list.slots.push(Arc::new(rows.clone())),
            Piece::Agency(rows) => list.agency.extend_from_slice(rows),
            Piece::Closing(slots) => list.closing.extend_from_slice(slots),
        }
        Ok(())
    }

    /// Takes the list that an entry ends: it must be this campaign's, of so many parts.
    fn take(
        pending: &mut Option<Self>,
        campaign: CampaignIndex,
        parts: u32,
    ) -> Result<Self, String> {
        let list = pending
            .take()
            .ok_or("ends a list, and none is in progress")?;
        if (list.campaign, list.parts) != (campaign, parts) {
            return Err(format!(
                "ends a list of {parts} parts of campaign {campaign}; in progress are {} parts of \
                 campaign {}",
                list.parts, list.campaign
            ));
        }
        Ok(list)
    }

    /// The text and the compiled rows of an activation.
    pub fn take_activation(
        pending: &mut Option<Self>,
        campaign: CampaignIndex,
        parts: u32,
        rows: u32,
        source_sha256: &[u8; 32],
    ) -> Result<(String, Vec<CampaignRow>), String> {
        let mut list = Self::take(pending, campaign, parts)?;
        let (source, rules) = (
            list.source_of(source_sha256)?,
            std::mem::take(&mut list.rules),
        );
        list.has_nothing_else("activates a campaign")?;
        check_count(rules.len(), rows)?;
        Ok((source, rules))
    }

    /// The text and the compiled rows of an agency's file.
    pub fn take_agency(
        pending: &mut Option<Self>,
        campaign: CampaignIndex,
        parts: u32,
        rows: u32,
        source_sha256: &[u8; 32],
    ) -> Result<(String, Vec<AgencyRow>), String> {
        let mut list = Self::take(pending, campaign, parts)?;
        let (source, agency) = (
            list.source_of(source_sha256)?,
            std::mem::take(&mut list.agency),
        );
        list.has_nothing_else("activates an agency's file")?;
        check_count(agency.len(), rows)?;
        Ok((source, agency))
    }

    /// The text, which must be the one that was meant.
    fn source_of(&mut self, source_sha256: &[u8; 32]) -> Result<String, String> {
        if Hash::of(self.source.as_bytes()).0 != *source_sha256 {
            return Err("puts a text into force that has another SHA-256".to_owned());
        }
        Ok(std::mem::take(&mut self.source))
    }

    /// Checks that nothing is left once a list's own rows were taken.
    fn has_nothing_else(&self, does: &str) -> Result<(), String> {
        let Self {
            campaign: _,
            parts: _,
            source,
            rules,
            sites,
            slots,
            agency,
            closing,
        } = self;
        let is_empty = source.is_empty()
            && rules.is_empty()
            && sites.is_empty()
            && slots.is_empty()
            && agency.is_empty()
            && closing.is_empty();
        is_empty
            .then_some(())
            .ok_or_else(|| format!("{does} from a list of something else"))
    }

    pub fn take_sites(
        pending: &mut Option<Self>,
        campaign: CampaignIndex,
        parts: u32,
        rows: u32,
    ) -> Result<Vec<SiteRow>, String> {
        let mut list = Self::take(pending, campaign, parts)?;
        let sites = std::mem::take(&mut list.sites);
        list.has_nothing_else("imports sites")?;
        check_count(sites.len(), rows)?;
        Ok(sites)
    }

    pub fn take_slots(
        pending: &mut Option<Self>,
        campaign: CampaignIndex,
        parts: u32,
        rows: u32,
    ) -> Result<Vec<Arc<Vec<SlotRow>>>, String> {
        let mut list = Self::take(pending, campaign, parts)?;
        let slots = std::mem::take(&mut list.slots);
        list.has_nothing_else("imports slots")?;
        check_count(slots.iter().map(|piece| piece.len()).sum(), rows)?;
        Ok(slots)
    }
}

impl Pending {
    /// The slots that are closed, or open again.
    pub fn take_closing(
        pending: &mut Option<Self>,
        campaign: CampaignIndex,
        parts: u32,
        rows: u32,
    ) -> Result<Vec<SlotIndex>, String> {
        let mut list = Self::take(pending, campaign, parts)?;
        let slots = std::mem::take(&mut list.closing);
        list.has_nothing_else("closes slots")?;
        check_count(slots.len(), rows)?;
        Ok(slots)
    }
}

fn check_count(found: usize, rows: u32) -> Result<(), String> {
    if found == rows as usize {
        return Ok(());
    }
    Err(format!("ends a list of {rows} rows, and {found} came"))
}

#[cfg(test)]
mod tests;
