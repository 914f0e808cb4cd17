//! What a campaign file would do to the people who wait, before it is put into force.

use serde::{Deserialize, Serialize};

use crate::domain::campaign::{Campaign, Opening, Order};
use crate::domain::ids::{CampaignIndex, LineIndex, PersonKey};
use crate::domain::line::windows::Windows;
use crate::domain::roster::Roster;
use crate::domain::time::Stamp;
use crate::engine::shared::{Offer, Shared, people_of};
use crate::gate::hours::OpeningState;

/// What an activation would do to people who wait.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ActivationDryRun {
    pub campaign: String,
    pub version: u32,
    /// The lines with people for whom something changes.
    pub lines: Vec<LineTouched>,
    /// The windows of each opening that is to come, if the order is `windows`; by the roster and
    /// the rate of now.
    pub windows: Vec<WindowsAhead>,
}

/// What the windows of an opening will be if nothing changes until they are shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WindowsAhead {
    pub from: String,
    /// People on the roster whom it is for.
    pub people: u64,
    pub windows: u32,
    pub window_s: u32,
    /// When the last of them ends.
    pub until: String,
    /// People in each.
    pub people_each: u64,
    /// As many as are let in within a window.
    pub room_each: u64,
    /// From when on people can look theirs up.
    pub shown_at: String,
    /// That time has come: the seed is committed to and shown in one, with no public value in it.
    pub is_shown_at_once: bool,
}

/// A line of an opening, as it is, and what would become of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LineTouched {
    pub from: String,
    pub until: String,
    pub waiting: u64,
    /// People with a window that has not begun, by the roster as it was planned.
    pub to_come: u64,
    pub effects: Vec<LineEffect>,
}

/// What an activation does to a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEffect {
    /// Its opening is not planned any more: its places are worth nothing.
    Gone,
    /// The lobby closes, and places are kept for the opening at that time.
    LobbyCloses { from: String },
    /// It is open and becomes a lobby until then.
    Closes { from: String },
    /// The lobby opens at once.
    OpensNow,
    /// It is over at once: only whoever was called may finish.
    Ends,
    /// It begins at another time; places are kept.
    Moved { from: String },
    /// It ends at another time.
    Until { until: String },
    /// For so many of its people the opening is not any more.
    NotTheirs { people: u64 },
    /// The order is another one: this line keeps the one that it began with.
    OrderKept,
    /// So many people have a window that has not begun, and is planned anew.
    WindowsMoved { people: u64 },
    /// So many people have a window that has not begun, and may come at once.
    WindowsGone { people: u64 },
}

/// Says what an activation would change for each line that has people.
pub fn dry_run(shared: &Shared, mut rules: Campaign, now: Stamp) -> ActivationDryRun {
    let offers = shared.offers().clone();
    let known = offers
        .iter()
        .find(|offer| offer.catalog.campaign.id == rules.id);
    let campaign = rules.id.to_string();
    let Some(offer) = known else {
        return ActivationDryRun {
            campaign,
            version: 1,
            lines: Vec::new(),
            windows: windows_ahead(&shared.roster(), &rules, None, now),
        };
    };
    let catalog = &offer.catalog;
    let had = shared
        .state()
        .campaign(catalog.index)
        .map_or(0, |known| known.lines.len());
    rules.go_on_with_lines(&catalog.campaign, had, now);
    let before = &catalog.campaign;
    let openings = before.openings.iter();
    let touched = openings.filter_map(|opening| touched(shared, offer, &rules, opening, now));
    let lines = touched.collect();
    let set = shared
        .state()
        .campaign(catalog.index)
        .and_then(|known| known.gate.admit_per_s);
    ActivationDryRun {
        campaign,
        version: catalog.version() + 1,
        lines,
        windows: windows_ahead(&offer.roster, &rules, set, now),
    }
}

/// The windows that people would be given; `admit_per_s` is the rate that operators have set.
fn windows_ahead(
    roster: &Roster,
    rules: &Campaign,
    admit_per_s: Option<u32>,
    now: Stamp,
) -> Vec<WindowsAhead> {
    if rules.gate.order != Order::Windows {
        return Vec::new();
    }
    let told = |at: Stamp| rules.zone.rfc3339(at);
    let admit_per_s = admit_per_s.unwrap_or(rules.gate.admit_per_s);
    let openings = rules.openings.iter();
    let ahead = openings.filter(|opening| now < opening.from);
    let windows = ahead.filter_map(|opening| {
        let basis = rules.gate.windows(opening, admit_per_s);
        let people = people_of(rules, roster, opening);
        let plan = Windows::default().next(basis, people, now)?;
        let until = plan.window(plan.windows - 1).until;
        let shown = opening.from.plus_s(-60 * i64::from(rules.gate.reveal_min));
        Some(WindowsAhead {
            from: told(opening.from),
            people,
            windows: plan.windows,
            window_s: basis.window_s,
            until: told(until),
            people_each: people.div_ceil(u64::from(plan.windows)),
            room_each: u64::from(admit_per_s) * u64::from(basis.window_s),
            is_shown_at_once: shown <= now,
            shown_at: told(shown),
        })
    });
    windows.collect()
}

/// What becomes of a line; none if nothing does, or if nobody is in it.
fn touched(
    shared: &Shared,
    offer: &Offer,
    rules: &Campaign,
    opening: &Opening,
    now: Stamp,
) -> Option<LineTouched> {
    let (index, before) = (offer.catalog.index, &offer.catalog.campaign);
    let (waiting, to_come) = shared
        .state()
        .campaign(index)?
        .line(opening.line)
        .map(|line| {
            let waiting = line.waiting(line.serving, line.newest());
            (waiting, line.windows.people_left(now))
        })
        .filter(|people| *people != (0, 0))?;
    let told = |at: Stamp| before.zone.rfc3339(at);
    let state = |rules: &Campaign, opening: &Opening| OpeningState::of(rules, opening, now);
    let mut effects = Vec::new();
    match rules.opening_of(opening.line) {
        None => effects.push(LineEffect::Gone),
        Some(next) => {
            use OpeningState::{Before, Closed, Finishing, Lobby, Open};
            let from = told(next.from);
            match (state(before, opening), state(rules, next)) {
                (Lobby | Open, Before) => effects.push(LineEffect::LobbyCloses { from }),
                (Open, Lobby) => effects.push(LineEffect::Closes { from }),
                (Lobby, Open) => effects.push(LineEffect::OpensNow),
                (Lobby | Open, Finishing | Closed) => effects.push(LineEffect::Ends),
                _ if next.from != opening.from => effects.push(LineEffect::Moved { from }),
                _ => {}
            }
            if next.until != opening.until {
                let until = told(next.until);
                effects.push(LineEffect::Until { until });
            }
            let people = shut_out(shared, offer, rules, index, opening.line);
            if people > 0 {
                effects.push(LineEffect::NotTheirs { people });
            }
            if waiting > 0 && rules.gate.order != before.gate.order {
                effects.push(LineEffect::OrderKept);
            }
            effects.extend(windows_effect(shared, index, rules, next, now));
        }
    }
    (!effects.is_empty()).then(|| LineTouched {
        from: told(opening.from),
        until: told(opening.until),
        waiting,
        to_come,
        effects,
    })
}

/// What becomes of the windows of a line that have not begun.
fn windows_effect(
    shared: &Shared,
    index: CampaignIndex,
    rules: &Campaign,
    next: &Opening,
    now: Stamp,
) -> Option<LineEffect> {
    let state = shared.state();
    let campaign = state.campaign(index)?;
    let windows = &campaign.line(next.line)?.windows;
    let people = windows.people_left(now);
    let admit_per_s = campaign.gate.admit_per_s.unwrap_or(rules.gate.admit_per_s);
    let basis = rules.gate.windows(next, admit_per_s);
    match rules.gate.order {
        _ if people == 0 => None,
        Order::Arrival | Order::Draw => Some(LineEffect::WindowsGone { people }),
        Order::Windows => {
            let counted = windows.plans().last().map_or(0, |last| last.people);
            let plan = windows.next(basis, counted, now)?;
            let moves = windows.is_outdated(&basis, now) && windows.are_moved_by(&plan);
            moves.then_some(LineEffect::WindowsMoved { people })
        }
    }
}

/// People of a line for whom its opening is not any more. Nobody waits while they are counted: the
/// state is looked at a part of the line at a time.
fn shut_out(
    shared: &Shared,
    offer: &Offer,
    rules: &Campaign,
    index: CampaignIndex,
    line: LineIndex,
) -> u64 {
    let part_of = |part: usize| -> Option<Vec<PersonKey>> {
        let state = shared.state();
        let part = state.campaign(index)?.line(line)?.given.parts().nth(part)?;
        Some(part.keys().copied().collect())
    };
    let set_bits = |set: &Vec<String>| rules.rules.group_bits(set.iter().map(String::as_str));
    let bits: Vec<u64> = offer.roster.group_sets.iter().map(set_bits).collect();
    let is_out = |person: &&PersonKey| {
        let subject = offer.subject_with(person, &bits);
        let theirs = subject.is_some_and(|subject| {
            let mut openings = rules.rules.openings_of(&subject);
            openings.any(|(at, _)| rules.openings[at].line == line)
        });
        !theirs
    };
    let parts = (0..).map_while(part_of);
    parts
        .map(|people| people.iter().filter(is_out).count() as u64)
        .sum()
}
