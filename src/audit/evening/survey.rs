//! Which openings a journal knows, of every version of the rules that it has: evidence can be asked
//! for long after an opening was taken out of the file.

use std::collections::BTreeMap;

use super::Wanted;
use crate::audit::AuditFault;
use crate::domain::campaign::{Campaign, read_instant};
use crate::domain::entry::{Change, Entry, Piece};
use crate::domain::ids::{CampaignIndex, LineIndex, Seq};
use crate::domain::time::{Stamp, Zone};
use crate::journal::block::entries;
use crate::journal::store::Read;

/// Instants that a refusal lists.
const LISTED_MAX: usize = 40;

/// Why there is no such opening.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    #[error("the journal has no campaign {wanted}; it has {known}")]
    Campaign { wanted: String, known: String },
    #[error("--opening: {0}")]
    Instant(String),
    #[error("{campaign} has no opening at {wanted}; it has those at {known}")]
    Opening {
        campaign: String,
        wanted: String,
        known: String,
    },
    #[error("{campaign} has {count} openings at {wanted}: say which with --line: {lines}")]
    Several {
        campaign: String,
        wanted: String,
        count: usize,
        lines: String,
    },
    #[error("no opening of {campaign} at {wanted} has the line {line}; there is {lines}")]
    Line {
        campaign: String,
        wanted: String,
        line: u16,
        lines: String,
    },
}

/// The campaigns of a journal, each with its openings.
#[derive(Default)]
pub struct Survey(BTreeMap<CampaignIndex, Surveyed>);

struct Surveyed {
    id: String,
    zone: Zone,
    /// By line: the instants that it was to open at, the latest last, and its cohorts.
    lines: BTreeMap<LineIndex, (Vec<Stamp>, String)>,
}

/// Reads the rules of every activation that the journal has.
pub fn survey(read: &Read) -> Result<Survey, AuditFault> {
    let mut survey = Survey::default();
    let (mut rows, mut fault) = (Vec::new(), None);
    read.blocks(Seq(1), |first, block| {
        for (at, bytes) in entries(block).enumerate() {
            let seq = first.0 + at as u64;
            let looked = bytes
                .and_then(|bytes| Entry::decode(bytes).map_err(|fault| fault.to_string()))
                .and_then(|entry| survey.look(entry.change, &mut rows));
            if let Err(what) = looked {
                fault = Some(AuditFault::Entry { seq, what });
                return false;
            }
        }
        true
    })?;
    fault.map_or(Ok(survey), Err)
}

type CampaignRows = Vec<crate::domain::campaign::rows::CampaignRow>;

impl Survey {
    fn look(&mut self, change: Change, rows: &mut CampaignRows) -> Result<(), String> {
        match change {
            Change::PieceAdded { part, piece, .. } => {
                if part == 0 {
                    rows.clear();
                }
                if let Piece::Rules(more) = piece {
                    rows.extend(more);
                }
            }
            Change::CampaignActivated { campaign, .. } => {
                let rules = Campaign::of_rows(&std::mem::take(rows))?;
                self.activated(campaign, &rules);
            }
            _ => {}
        }
        Ok(())
    }

    fn activated(&mut self, index: CampaignIndex, rules: &Campaign) {
        let known = self.0.entry(index).or_insert_with(|| Surveyed {
            id: rules.id.to_string(),
            zone: rules.zone.clone(),
            lines: BTreeMap::new(),
        });
        known.zone = rules.zone.clone();
        for opening in &rules.openings {
            let cohorts = opening
                .cohorts
                .iter()
                .map(|at| rules.cohorts[*at].id.as_str());
            let cohorts = cohorts.collect::<Vec<_>>().join(", ");
            let line = known.lines.entry(opening.line).or_default();
            line.0.retain(|at| *at != opening.from);
            line.0.push(opening.from);
            line.1 = cohorts;
        }
    }

    /// The opening of a campaign at an instant, as RFC 3339 or a local time of the campaign's zone.
    /// `line` tells openings apart that begin at the same time.
    pub fn find(
        &self,
        campaign: &str,
        opening: &str,
        line: Option<u16>,
    ) -> Result<Wanted, NotFound> {
        let all = || self.0.values();
        let Some(known) = all().find(|known| known.id == campaign) else {
            return Err(NotFound::Campaign {
                wanted: campaign.to_owned(),
                known: listed(all().map(|known| known.id.clone()).collect()),
            });
        };
        let at = read_instant(opening, &known.zone).map_err(NotFound::Instant)?;
        let (campaign, wanted) = (campaign.to_owned(), known.zone.rfc3339(at));
        let found = known.at(at);
        let lines = |lines: &[LineIndex]| {
            let told = |line: &LineIndex| format!("{line} ({})", known.lines[line].1);
            listed(lines.iter().map(told).collect())
        };
        match (found.as_slice(), line) {
            ([], _) => Err(NotFound::Opening {
                campaign,
                wanted,
                known: known.instants(),
            }),
            (found, Some(line)) if found.contains(&LineIndex(line)) => Ok(Wanted {
                campaign,
                line: LineIndex(line),
                origin: None,
            }),
            (found, Some(line)) => Err(NotFound::Line {
                campaign,
                wanted,
                line,
                lines: lines(found),
            }),
            ([line], None) => Ok(Wanted {
                campaign,
                line: *line,
                origin: None,
            }),
            (found, None) => Err(NotFound::Several {
                campaign,
                wanted,
                count: found.len(),
                lines: lines(found),
            }),
        }
    }
}

impl Surveyed {
    /// The lines whose opening is at this instant; if none is, those whose opening was to be then.
    fn at(&self, at: Stamp) -> Vec<LineIndex> {
        let lines = |is_it: &dyn Fn(&Vec<Stamp>) -> bool| {
            let lines = self
                .lines
                .iter()
                .filter(|(_, (instants, _))| is_it(instants));
            lines.map(|(line, _)| *line).collect::<Vec<_>>()
        };
        let now = lines(&|instants| instants.last() == Some(&at));
        if now.is_empty() {
            lines(&|instants| instants.contains(&at))
        } else {
            now
        }
    }

    fn instants(&self) -> String {
        let last = |(instants, _): &(Vec<Stamp>, String)| instants.last().copied();
        let mut all: Vec<Stamp> = self.lines.values().filter_map(last).collect();
        all.sort_unstable();
        all.dedup();
        listed(all.into_iter().map(|at| self.zone.rfc3339(at)).collect())
    }
}

/// A list for people, cut where it gets too long.
fn listed(mut all: Vec<String>) -> String {
    if all.is_empty() {
        return "none".to_owned();
    }
    let more = all.len().saturating_sub(LISTED_MAX);
    all.truncate(LISTED_MAX);
    let mut text = all.join(", ");
    if more > 0 {
        text += &format!(" and {more} more");
    }
    text
}
