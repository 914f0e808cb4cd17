//! `sumun rush`: one evening.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::{bail, ensure};

use super::{AHEAD_S_MAX, Evening, RUSH_CONNECTIONS, Target, command, opening, words, write};
use crate::cli::Output;
use crate::ops::folder::Folder;
use crate::rush::crowd::Crowd;
use crate::rush::curve::Curve;
use crate::rush::drive::Drive;
use crate::rush::scene::{Scene, Setting};
use crate::rush::summary::{Rehearsal, summary};
use crate::rush::target::Time;

/// Without a terminal, a line this often.
const PLAIN_EVERY_S: usize = 10;

pub(super) fn rehearse(
    folder: &Folder,
    target: &Target,
    evening: &Evening,
    json: bool,
) -> anyhow::Result<Output> {
    let found = target.find(folder)?;
    let habits = evening.habits();
    let crowd = Crowd::read(
        &found.people,
        target.skip,
        evening.count,
        target.seed,
        &habits,
    )?;
    let opens_at = opening(&found, &crowd)?;
    let Time { now, speed, .. } = found.time;
    let (shown_now, shown_opening) = (found.local(now), found.local(opens_at));
    let ahead_s = opens_at.duration_since(now).as_secs_f64();
    ensure!(
        speed > 0.0 || ahead_s <= 0.0,
        "the server's clock stands still at {shown_now}, before the opening at \
         {shown_opening}: start the \
         demo with --at, or with a --speed"
    );
    let wait_s = if ahead_s > 0.0 { ahead_s / speed } else { 0.0 };
    let lead_s = ahead_s.clamp(0.0, found.lobby_opens_min * 60.0);
    if wait_s > AHEAD_S_MAX {
        bail!(
            "the opening is at {shown_opening}, {:.0} minutes of yours from now \
             ({shown_now} there): start \
             the demo nearer to it, for example with --at, or let its clock run with --speed",
            wait_s / 60.0
        );
    }
    let curve = Curve {
        early: evening.early,
        lead_s,
        decay_s: evening.decay,
        length_s: evening.arrive_for,
    };
    let people = crowd.people.len();
    eprintln!(
        "{} people come to {} for {}; it is {shown_now} there, {}{}",
        people,
        found.server.url,
        found.campaign,
        if ahead_s > 0.0 {
            format!("the opening is in {wait_s:.0} s")
        } else {
            "the opening has begun: they begin to come now".to_owned()
        },
        match (found.time.simulated, speed) {
            (true, speed) if speed != 1.0 => format!(" (its clock runs {speed} times as fast)"),
            _ => String::new(),
        },
    );
    let setting = Setting {
        path: format!("/api/v1/campaigns/{}", found.campaign),
        base: format!("/ko/{}", found.campaign),
        host: found.server.host().to_owned(),
        origin: found.server.url.clone(),
        habits: habits.clone(),
        seed: target.seed,
        key: format!("rush-{:x}-{:x}", target.seed, now.as_millisecond()),
        speed: if speed > 0.0 { speed } else { 1.0 },
        opening_ns: (wait_s * 1e9) as u64,
        began_at: now,
        drawn: found.drawn,
    };
    let scene = Scene::new(setting, crowd);
    let mut drive = Drive::new(
        scene,
        found.server.way.clone(),
        target.connections(RUSH_CONNECTIONS),
    )?;
    drive.expect(0..people as u32, &curve);
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
        opens_at: shown_opening,
        seed: target.seed,
        people,
        habits,
        curve,
        connections: target.connections(RUSH_CONNECTIONS),
        connects: drive.connects(),
        speed,
        opening_s: wait_s,
        seconds: ended,
        still_going,
    };
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
