//! From what was collected to the figures: cut to the evening, counted and put into the zone.

use data_encoding::HEXLOWER;

use super::collect::{ACTORS, Collector, Ruled, sums, total};
use super::figures::{
    Act, Bookings, CampaignTold, CohortTold, Controlled, DrawTold, FORM, Figures, GateTold,
    Happening, JournalTold, Minute, Opened, PlanTold, RefusalTold, RulesTold, Span, Spread,
};
use super::line::LineFigures;
use super::rows::{MINUTE_NS, REASONS, Row};
use crate::audit::draw::Checked;
use crate::crypto::Sha256;
use crate::domain::ids::Pool;
use crate::domain::line::told::Told;
use crate::domain::state::State;
use crate::domain::time::Stamp;
use crate::tree::default_origin;
use crate::tree::note::{Kind, VerifierKey};

/// Rows of the evening at the most: two days of minutes.
const ROWS_MAX: i64 = 2_880;
/// Acts that are listed; the others are counted.
const ACTS_MAX: usize = 2_000;

/// The figures of what was collected, with the state at its end; none if the opening is not in it.
/// `is_cut` says that the entries end before one that shows that the evening is over.
pub(super) fn figures(from: &mut Collector, state: &State, is_cut: bool) -> Option<Figures> {
    let ruled = from.ruled.take()?;
    let (last_entry, last_stamp, last_hash) = from.last?;
    let founded = from.founded?;
    let key = state
        .keys
        .head_at(last_entry)
        .unwrap_or(founded.head_public_key);
    let origin = from.origin_wanted().map(str::to_owned);
    let origin = origin.unwrap_or_else(|| default_origin(&founded.head_public_key));
    let verifier_key = VerifierKey::new(&origin, Kind::Ed25519, key);
    let begins = ruled.begins();
    let draws = std::mem::take(&mut from.draws).finish(state);
    let line = std::mem::take(&mut from.line);
    let told = line.told.clone();
    let line = line.figures(ruled.opening.from, state, &from.last_signs, &|at| {
        ruled.told(at)
    });
    let rows = from.rows.between(begins, last_stamp.plus_s(1));
    let row_min = row_min(begins, last_stamp);
    // An entry behind the end says that nothing more of the opening is missing.
    let is_closed = from.closed_by().is_some();
    let known_until = if is_closed {
        ruled.opening.until
    } else {
        last_stamp
    };
    let within = |at: Stamp| begins <= at && at <= last_stamp;
    let (acts, acts_left_out) = acts(&ruled, &from.acts, within);
    Some(Figures {
        form: FORM,
        campaign: CampaignTold {
            id: ruled.campaign.id.to_string(),
            name_ko: ruled.campaign.name.ko.clone(),
            name_en: ruled.campaign.name.en.clone(),
            zone: ruled.campaign.zone.name().to_owned(),
        },
        line: from.line_wanted().0,
        so_far: is_cut && last_stamp < ruled.ends(),
        journal: JournalTold {
            public_key: HEXLOWER.encode(&key),
            verifier_key: verifier_key.ok().map(|key| key.to_string()),
            origin,
            simulated_clock: founded.simulated_clock,
        },
        span: Span {
            from: ruled.told(begins),
            until: ruled.told(ruled.ends()),
            first_entry: rows.first().map_or(last_entry.0, |row| row.first.0),
            last_entry: last_entry.0,
            last_stamp: ruled.told(last_stamp),
            last_hash: last_hash.to_string(),
            row_min: row_min as u32,
        },
        opened: opened(&ruled),
        rules: rules(&from.rules, begins),
        bookings: bookings(&ruled, rows),
        refusals: refusals(rows),
        controller: controller(&ruled, &told),
        minutes: minutes(&ruled, rows, &line, &told, [begins, last_stamp], row_min),
        numbers: line.numbers,
        waits: line.waits,
        draws: draws.iter().map(draw).collect(),
        happenings: happenings(&ruled, &from.happenings, within),
        out_of_service_s: out_of_service_s(&ruled, &from.outages, known_until),
        acts,
        acts_left_out,
    })
}

/// Minutes that a row stands for.
fn row_min(begins: Stamp, last: Stamp) -> i64 {
    let minutes = (last.0 - begins.0).max(0) / MINUTE_NS + 1;
    (minutes + ROWS_MAX - 1) / ROWS_MAX
}

/// The acts of the evening, and how many are left out.
fn acts(ruled: &Ruled, all: &[(Stamp, Act)], within: impl Fn(Stamp) -> bool) -> (Vec<Act>, u64) {
    let all = all.iter().filter(|(at, _)| within(*at));
    let told = all.clone().take(ACTS_MAX).map(|(at, act)| Act {
        at: ruled.told(*at),
        ..act.clone()
    });
    let left_out = all.count().saturating_sub(ACTS_MAX);
    (told.collect(), left_out as u64)
}

/// How long of an opening, as far as it is known, no server was there.
fn out_of_service_s(ruled: &Ruled, outages: &[(Stamp, Option<Stamp>)], known: Stamp) -> u64 {
    let opening = &ruled.opening;
    let seconds = outages.iter().map(|(from, until)| {
        let from = (*from).max(opening.from);
        let until = until.unwrap_or(known).min(known).min(opening.until);
        (until.0 - from.0).max(0) / Stamp::SECOND
    });
    seconds.sum::<i64>() as u64
}

fn happenings(
    ruled: &Ruled,
    all: &[(Stamp, Happening)],
    within: impl Fn(Stamp) -> bool,
) -> Vec<Happening> {
    let these = all.iter().filter(|(at, _)| within(*at));
    let told = these.map(|(at, seen)| Happening {
        at: ruled.told(*at),
        ..seen.clone()
    });
    told.collect()
}

fn opened(ruled: &Ruled) -> Opened {
    let (campaign, opening) = (&ruled.campaign, &ruled.opening);
    let cohort = |at: &usize| {
        let cohort = &campaign.cohorts[*at];
        let (first, last) = cohort.born;
        CohortTold {
            id: cohort.id.clone(),
            born: (!cohort.is_of_groups_alone()).then(|| [first, last].map(|day| day.to_string())),
            groups_any: cohort.groups_any.clone(),
        }
    };
    let gate = &campaign.gate;
    Opened {
        from: ruled.told(opening.from),
        until: ruled.told(opening.until),
        cohorts: opening.cohorts.iter().map(cohort).collect(),
        birth_day_last_digits: opening.birth_day_last_digits.clone(),
        gate: GateTold {
            order: gate.order.name(),
            lobby_min: gate.lobby_min(),
            last_entry_min: gate.last_entry_min,
            finish_min: gate.finish_min,
            admit_per_s: gate.admit_per_s,
            active_max: gate.active_max,
            session_idle_s: gate.session_idle_s,
        },
        hold_s: campaign.booking.hold_s,
        hold_extend_s: campaign.booking.hold_extend_s,
        change_until_days: campaign.booking.change_until_days,
    }
}

/// The version that was in force when the evening began, and those that followed.
fn rules(all: &[(Stamp, RulesTold)], begins: Stamp) -> Vec<RulesTold> {
    let behind = all.partition_point(|(at, _)| *at <= begins);
    let rules = &all[behind.saturating_sub(1)..];
    rules.iter().map(|(_, told)| told.clone()).collect()
}

fn bookings(ruled: &Ruled, rows: &[Row]) -> Bookings {
    let sum = total(rows.iter().map(|row| &row.counts));
    // The first of the best.
    let best = rows.iter().rev().max_by_key(|row| row.counts.booked);
    let best = best.filter(|row| row.counts.booked > 0);
    Bookings {
        booked: sum.booked,
        moved: sum.moved,
        cancelled: sum.cancelled,
        holds: sum.holds,
        holds_extended: sum.holds_extended,
        holds_expired: sum.holds_expired,
        holds_released: sum.holds_released,
        by_pool: sums(Pool::ALL.map(Pool::name), sum.by_pool),
        by_actor: sums(ACTORS, sum.by_actor),
        best_minute: best.map(|row| ruled.told(row.at)),
        best_minute_booked: best.map_or(0, |row| row.counts.booked),
    }
}

fn refusals(rows: &[Row]) -> Vec<RefusalTold> {
    let mut all = std::collections::BTreeMap::new();
    for (which, people) in rows.iter().flat_map(|row| &row.refused) {
        *all.entry(*which).or_default() += people;
    }
    let told = |((rules, reason), people): ((u32, usize), u64)| RefusalTold {
        reason: REASONS[reason],
        rules,
        people,
    };
    all.into_iter().map(told).collect()
}

fn draw(checked: &Checked) -> DrawTold {
    let hex = |bytes: [u8; 32]| HEXLOWER.encode(&bytes);
    let plan = |checked: &crate::audit::draw::CheckedPlan| PlanTold {
        from: checked.from.clone(),
        windows: checked.plan.windows,
        window_s: checked.plan.basis.window_s,
        people: checked.plan.people,
        first_lot: format!("{:016x}", checked.plan.first_lot),
        by_rule: checked.is_by_rule,
    };
    let (value, value_source) = checked.value.clone().unzip();
    let mut digest = Sha256::default();
    for (person, number) in &checked.numbers {
        digest.update(format!("{number} {person}\n").as_bytes());
    }
    DrawTold {
        committed_at: checked.committed_at.clone(),
        commitment: hex(checked.commitment),
        in_time: checked.in_time,
        seed: checked.seed.map(hex),
        value,
        value_source,
        people: checked.numbers.len() as u64,
        drawn_sha256: (!checked.numbers.is_empty()).then(|| hex(digest.finish())),
        plans: checked.plans.iter().map(plan).collect(),
        early: checked.early,
    }
}

/// Minutes in a row with the same settings and the same reason are one row.
fn controller(ruled: &Ruled, told: &[(Stamp, Told)]) -> Vec<Controlled> {
    let same = |(_, one): &(Stamp, Told), (_, other): &(Stamp, Told)| {
        let of = |told: &Told| (told.admit_per_s, told.active_max, told.because);
        of(one) == of(other)
    };
    let row = |rows: &[(Stamp, Told)]| {
        let ((first, told), (last, _)) = (rows.first()?, rows.last()?);
        let least = |of: fn(&Told) -> u16| rows.iter().map(|(_, told)| of(told)).min().unwrap_or(0);
        Some(Controlled {
            from: ruled.told(*first),
            until: ruled.told(*last),
            minutes: rows.len() as u64,
            admit_per_s: told.admit_per_s,
            active_max: told.active_max,
            because: told.because.map(|because| because.name()),
            brake_permille_least: least(|told| told.brake_permille),
            share_permille_least: share_least(rows),
            active_most: rows.iter().map(|(_, told)| told.active).max().unwrap_or(0),
        })
    };
    told.chunk_by(same).filter_map(row).collect()
}

/// The least share while anybody waited: a line without people has the share that it would begin
/// with, which says nothing of how it was served.
fn share_least(rows: &[(Stamp, Told)]) -> Option<u16> {
    let waited = rows.iter().filter(|(_, told)| told.waiting + told.late > 0);
    waited.map(|(_, told)| told.share_permille).min()
}

fn minutes(
    ruled: &Ruled,
    rows: &[Row],
    line: &LineFigures,
    told: &[(Stamp, Told)],
    [begins, last]: [Stamp; 2],
    row_min: i64,
) -> Vec<Minute> {
    let step_ns = row_min * MINUTE_NS;
    let mut minutes = Vec::new();
    let (mut rows, mut given_before) = (rows, line.given_and_waiting(begins).0);
    let mut at = begins;
    while at <= last {
        let next = Stamp(at.0 + step_ns);
        let (these, others) = rows.split_at(rows.partition_point(|row| row.at < next));
        rows = others;
        let sum = total(these.iter().map(|row| &row.counts));
        let (given, waiting) = line.given_and_waiting(next);
        let known = told.get(told.partition_point(|(told, _)| *told < at));
        let known = known.filter(|(told, _)| *told < next).map(|(_, told)| told);
        let minute = Minute {
            at: ruled.told(at),
            given: given - given_before,
            serving: line.serving(next),
            waiting,
            told_s: known.map(|told| told.wait_s),
            because: known
                .and_then(|told| told.because)
                .map(|because| because.name()),
            had_s: had_between(line, at, next),
            holds: sum.holds,
            booked: sum.booked,
            moved: sum.moved,
            cancelled: sum.cancelled,
            refused: sum.refused,
        };
        let happened = minute.given + minute.waiting + sum.holds + sum.booked + sum.moved;
        let happened = happened + sum.cancelled + sum.refused.iter().sum::<u64>();
        if happened > 0 || minute.told_s.is_some() {
            minutes.push(minute);
        }
        given_before = given;
        at = next;
    }
    minutes
}

/// The middle wait of those who got their number from one instant until before another.
fn had_between(line: &LineFigures, from: Stamp, until: Stamp) -> Option<u64> {
    let at = |stamp: Stamp| line.had_s.partition_point(|(given, _)| *given < stamp);
    let these = &line.had_s[at(from)..at(until)];
    let mut seconds: Vec<u32> = these.iter().map(|(_, seconds)| *seconds).collect();
    let spread = Spread::of(&mut seconds);
    (spread.count > 0).then_some(spread.p50)
}
