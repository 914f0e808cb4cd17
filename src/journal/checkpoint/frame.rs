//! The first part of a checkpoint: all of the state but its tables, in the form that is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Found;
use crate::domain::agency::rows::AgencyRow;
use crate::domain::agency::{Agency, AgencyVersion};
use crate::domain::booking::catalog::{Catalog, Version};
use crate::domain::booking::relocation::Relocation;
use crate::domain::campaign::Campaign;
use crate::domain::campaign::rows::CampaignRow;
use crate::domain::entry::Hash;
use crate::domain::growing::{Queue, Rows, Table};
use crate::domain::ids::{CampaignId, CampaignIndex, HoldId, Seq};
use crate::domain::line::windows::Windows;
use crate::domain::line::{Draw, GateSettings, Lease, Line};
use crate::domain::personal::{KeysInForce, VaultState};
use crate::domain::pieces::Pending;
use crate::domain::repeats::Repeats;
use crate::domain::staff::StaffState;
use crate::domain::state::{CampaignState, Founded, Hold, RosterMark, State};
use crate::domain::time::Stamp;

/// What the first part holds.
#[derive(Serialize, Deserialize)]
pub struct Frame {
    seq: Seq,
    stamp: Stamp,
    head: Hash,
    founded: Option<Founded>,
    keys: KeysInForce,
    roster: Option<RosterMark>,
    vault: VaultState,
    pending: Option<Pending>,
    staff: StaffState,
    campaigns: Vec<CampaignFrame>,
}

#[derive(Serialize, Deserialize)]
struct CampaignFrame {
    id: CampaignId,
    rules: Vec<CampaignRow>,
    /// Version, stamp of its activation, source.
    versions: Vec<(u32, Stamp, String)>,
    holds: Vec<(HoldId, Hold)>,
    gate: GateSettings,
    lines: Vec<LineFrame>,
    frozen_since: Option<Stamp>,
    refusal_counts: [u64; 3],
    agency: Option<AgencyFrame>,
    agencies_before: Vec<AgencyFrame>,
    relocations: Vec<Relocation>,
}

#[derive(Serialize, Deserialize)]
struct AgencyFrame {
    version: u32,
    activated_at: Stamp,
    consent_since: u32,
    source: String,
    rows: Vec<AgencyRow>,
}

#[derive(Serialize, Deserialize)]
struct LineFrame {
    leases: Vec<Lease>,
    serving: u64,
    draw: Option<Draw>,
    windows: Windows,
}

pub fn frame(state: &State) -> Frame {
    let State {
        seq,
        stamp,
        head,
        founded,
        keys,
        roster,
        vault,
        campaigns,
        staff,
        pending,
    } = state;
    Frame {
        seq: *seq,
        stamp: *stamp,
        head: *head,
        founded: *founded,
        keys: keys.clone(),
        vault: vault.clone(),
        roster: *roster,
        pending: pending.clone(),
        staff: StaffState::clone(staff),
        campaigns: campaigns.iter().map(campaign_frame).collect(),
    }
}

fn campaign_frame(campaign: &CampaignState) -> CampaignFrame {
    // Standings, bookings, repeats, refusals and what the agency moved are lists; usage follows
    // from bookings and holds.
    let CampaignState {
        id,
        catalog,
        usage: _,
        standings: _,
        bookings: _,
        holds,
        holds_by_end: _,
        repeats: _,
        refusals: _,
        gate,
        lines,
        frozen_since,
        refusal_counts,
        agency,
        agencies_before,
        relocations,
        moved: _,
    } = campaign;
    let agency_frame = |known: &Arc<AgencyVersion>| {
        let AgencyVersion {
            version,
            activated_at,
            consent_since,
            source,
            agency,
        } = &**known;
        AgencyFrame {
            version: *version,
            activated_at: *activated_at,
            consent_since: *consent_since,
            source: source.clone(),
            rows: agency.rows(),
        }
    };
    let line = |line: &Line| {
        let Line {
            given: _,
            leases,
            serving,
            draw,
            windows,
        } = line;
        LineFrame {
            leases: leases.clone(),
            serving: *serving,
            draw: draw.clone(),
            windows: windows.clone(),
        }
    };
    let Catalog {
        index: _,
        campaign: rules,
        versions,
        sites: _,
        site_by_id: _,
        slots: _,
    } = &**catalog;
    let version = |known: &Version| {
        let Version {
            version,
            activated_at,
            source,
        } = known;
        (*version, *activated_at, source.to_string())
    };
    CampaignFrame {
        id: id.clone(),
        rules: rules.rows(),
        versions: versions.iter().map(version).collect(),
        holds: holds.iter().map(|(id, hold)| (*id, *hold)).collect(),
        gate: gate.clone(),
        lines: lines.iter().map(line).collect(),
        frozen_since: *frozen_since,
        refusal_counts: *refusal_counts,
        agency: agency.as_ref().map(agency_frame),
        agencies_before: agencies_before.iter().map(agency_frame).collect(),
        relocations: relocations.clone(),
    }
}

pub fn state_of(frame: Frame) -> Found<State> {
    let Frame {
        seq,
        stamp,
        head,
        founded,
        keys,
        roster,
        vault,
        pending,
        staff,
        campaigns,
    } = frame;
    let numbered = (0_u16..).zip(campaigns);
    let campaigns = numbered.map(|(at, frame)| campaign_of(CampaignIndex(at), frame));
    Ok(State {
        seq,
        stamp,
        head,
        founded,
        keys,
        roster,
        vault,
        campaigns: campaigns.collect::<Found<_>>()?,
        staff: Arc::new(staff),
        pending,
    })
}

fn campaign_of(index: CampaignIndex, frame: CampaignFrame) -> Found<CampaignState> {
    let CampaignFrame {
        id,
        rules,
        versions,
        holds,
        gate,
        lines,
        frozen_since,
        refusal_counts,
        agency,
        agencies_before,
        relocations,
    } = frame;
    let agency_of = |frame: AgencyFrame| {
        Ok::<_, String>(Arc::new(AgencyVersion {
            version: frame.version,
            activated_at: frame.activated_at,
            consent_since: frame.consent_since,
            source: frame.source,
            agency: Agency::of_rows(&frame.rows)?,
        }))
    };
    let line = |frame: LineFrame| Line {
        given: Table::default(),
        leases: frame.leases,
        serving: frame.serving,
        draw: frame.draw,
        windows: frame.windows,
    };
    let version = |(version, activated_at, source): (u32, Stamp, String)| Version {
        version,
        activated_at,
        source: source.into(),
    };
    let catalog = Catalog {
        index,
        campaign: Arc::new(Campaign::of_rows(&rules)?),
        versions: versions.into_iter().map(version).collect(),
        sites: Vec::new(),
        site_by_id: Default::default(),
        slots: Vec::new(),
    };
    let holds: BTreeMap<HoldId, Hold> = holds.into_iter().collect();
    Ok(CampaignState {
        id,
        catalog: Arc::new(catalog),
        usage: Rows::default(),
        standings: Table::default(),
        bookings: Rows::default(),
        holds_by_end: holds.iter().map(|(id, hold)| (hold.until, *id)).collect(),
        holds,
        repeats: Repeats::of_rows(Table::default(), Queue::default()),
        refusals: Table::default(),
        gate,
        lines: lines.into_iter().map(line).collect(),
        frozen_since,
        refusal_counts,
        agency: agency.map(agency_of).transpose()?,
        agencies_before: agencies_before
            .into_iter()
            .map(agency_of)
            .collect::<Found<_>>()?,
        relocations,
        moved: Table::default(),
    })
}
