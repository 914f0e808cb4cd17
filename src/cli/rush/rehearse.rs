//! `sumun rush`: one evening.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::{bail, ensure};
use jiff::Timestamp;

use super::{
    AHEAD_S_MAX, Evening, Found, RUSH_CONNECTIONS, Rush, Target, command, opening, words, write,
};
use crate::cli::Output;
use crate::ops::folder::Folder;
use crate::rush::crowd::{Crowd, Habits};
use crate::rush::curve::Curve;
use crate::rush::drive::Drive;
use crate::rush::scene::{Scene, Setting};
use crate::rush::summary::{Rehearsal, summary};
use crate::rush::target::Time;

/// Without a terminal, a line this often.
const PLAIN_EVERY_S: usize = 10;

/// An evening that was held.
pub(super) struct Held {
    pub rehearsal: Rehearsal,
    pub drive: Drive,
}

/// When an evening's opening is, as its server has it.
#[derive(Clone, Copy)]
pub(super) struct Hour {
    pub opens_at: Timestamp,
    /// Seconds of the server's clock, and of ours, until then.
    pub ahead_s: f64,
    pub wait_s: f64,
}

impl Hour {
    pub fn of(found: &Found, opens_at: Timestamp) -> anyhow::Result<Self> {
        let Time { now, speed, .. } = found.time;
        let (shown_now, shown_opening) = (found.local(now), found.local(opens_at));
        let ahead_s = opens_at.duration_since(now).as_secs_f64();
        ensure!(
            speed > 0.0 || ahead_s <= 0.0,
            "the server's clock stands still at {shown_now}, before the opening at \
             {shown_opening}: start the demo with --at, or with a --speed"
        );
        let wait_s = if ahead_s > 0.0 { ahead_s / speed } else { 0.0 };
        if wait_s > AHEAD_S_MAX {
            bail!(
                "the opening is at {shown_opening}, {:.0} minutes of yours from now \
                 ({shown_now} there): start the demo nearer to it, for example with --at, or let \
                 its clock run with --speed",
                wait_s / 60.0
            );
        }
        Ok(Self {
            opens_at,
            ahead_s,
            wait_s,
        })
    }

    /// When people come to this opening.
    pub fn curve(self, found: &Found, evening: &Evening) -> Curve {
        Curve {
            early: evening.early,
            lead_s: self.ahead_s.clamp(0.0, found.lobby_opens_min * 60.0),
            decay_s: evening.decay,
            length_s: evening.arrive_for,
        }
    }
}

pub(super) fn rehearse(folder: &Folder, rush: &Rush, json: bool) -> anyhow::Result<Output> {
    let Rush {
        target, evening, ..
    } = rush;
    let found = target.find(folder)?;
    let habits = evening.habits();
    let (skip, seed) = (target.skip, target.seed);
    let crowd = Crowd::read(&found.people, skip, rush.count, seed, &habits)?;
    let hour = Hour::of(&found, opening(&found, &crowd)?)?;
    let all: Vec<u32> = (0..crowd.people.len() as u32).collect();
    let Held { rehearsal, drive } = hold(&found, target, evening, hour, crowd, &all)?;
    let record = drive.record();
    let json_summary = summary(&rehearsal, record);
    if let Some(file) = &evening.json_report {
        let whole = crate::rush::summary::whole(&rehearsal, record);
        write(file, &serde_json::to_string(&whole)?)?;
    }
    if let Some(file) = &evening.report {
        write(file, &crate::rush::report::page(&rehearsal, record))?;
        if !json {
            eprintln!("the report is in {}", file.display());
        }
    }
    let human = words::rehearsal(&rehearsal, record);
    Ok(match record.fault_count() {
        0 => Output::done(human, json_summary),
        _ => Output::fault(human, json_summary),
    })
}

/// Lets these people of a crowd come to an opening, and looks up what they were promised.
pub(super) fn hold(
    found: &Found,
    target: &Target,
    evening: &Evening,
    hour: Hour,
    crowd: Crowd,
    who: &[u32],
) -> anyhow::Result<Held> {
    let Time { now, speed, .. } = found.time;
    let (habits, curve) = (evening.habits(), hour.curve(found, evening));
    tell_beginning(found, hour, who.len());
    let scene = Scene::new(setting(found, target.seed, habits.clone(), hour), crowd);
    let connections = target.connections(RUSH_CONNECTIONS);
    let mut drive = Drive::new(scene, found.server.way.clone(), connections)?;
    drive.expect(who.iter().copied(), &curve);
    let mut progress = Progress::new();
    drive.run(Duration::from_secs(evening.for_s), &mut |scene, queued| {
        progress.tell(scene, queued);
        !knows_nobody(scene)
    })?;
    if knows_nobody(&drive.scene) {
        bail!(
            "{} knows none of these people: is {} its roster?",
            found.server.url,
            found.people.display()
        );
    }
    drive.scene.check_order();
    let ended = drive.scene.record.seconds.len();
    let still_going = drive.scene.going;
    drive.check(evening.check, &mut |scene, queued| {
        progress.tell(scene, queued);
        true
    })?;
    progress.done();
    let rehearsal = Rehearsal {
        command: command(),
        url: found.server.url.clone(),
        campaign: found.campaign.clone(),
        opens_at: found.local(hour.opens_at),
        began_at: now,
        seed: target.seed,
        people: who.len(),
        habits,
        curve,
        connections,
        connects: drive.connects(),
        speed,
        opening_s: hour.wait_s,
        seconds: ended,
        still_going,
    };
    Ok(Held { rehearsal, drive })
}

fn setting(found: &Found, seed: u64, habits: Habits, hour: Hour) -> Setting {
    let Time { now, speed, .. } = found.time;
    Setting {
        path: format!("/api/v1/campaigns/{}", found.campaign),
        base: format!("/ko/{}", found.campaign),
        host: found.server.host().to_owned(),
        origin: found.server.url.clone(),
        habits,
        seed,
        key: format!("rush-{seed:x}-{:x}", now.as_millisecond()),
        speed: if speed > 0.0 { speed } else { 1.0 },
        opening_ns: (hour.wait_s * 1e9) as u64,
        began_at: now,
        drawn: found.drawn,
    }
}

fn tell_beginning(found: &Found, hour: Hour, people: usize) {
    let when = if hour.ahead_s > 0.0 {
        format!("the opening is in {:.0} s", hour.wait_s)
    } else {
        "the opening has begun: they begin to come now".to_owned()
    };
    let clock = match (found.time.simulated, found.time.speed) {
        (true, speed) if speed != 1.0 => format!(" (its clock runs {speed} times as fast)"),
        _ => String::new(),
    };
    eprintln!(
        "{people} people come to {} for {}; it is {} there, {when}{clock}",
        found.server.url,
        found.campaign,
        found.local(found.time.now)
    );
}

/// Many were refused as unknown, and nobody was let in.
fn knows_nobody(scene: &Scene) -> bool {
    let unknown = crate::rush::answer::Code::IdentityNotFound;
    scene.record.totals.entered == 0 && scene.record.refused_with(unknown) > 20
}

/// One line on a terminal, drawn again each second; elsewhere a line now and then.
struct Progress {
    terminal: bool,
}

impl Progress {
    fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
        }
    }

    fn tell(&mut self, scene: &Scene, queued: usize) {
        let seconds = scene.record.seconds.len();
        if !self.terminal && !seconds.is_multiple_of(PLAIN_EVERY_S) {
            return;
        }
        let line = words::progress(scene, queued);
        let mut out = std::io::stderr().lock();
        let _ = if self.terminal {
            write!(out, "\r\x1b[K{line}")
        } else {
            writeln!(out, "{line}")
        };
        let _ = out.flush();
    }

    fn done(&self) {
        if self.terminal {
            eprintln!();
        }
    }
}
