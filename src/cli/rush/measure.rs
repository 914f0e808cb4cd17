//! `sumun rush sweep` and `certify`: what needs the gate's settings for itself.

use anyhow::{Context as _, ensure};

use super::{
    CertifyOptions, Found, SAMPLED, SWEEP_CONNECTIONS, SweepOptions, command, gate_status, opening,
    words, write,
};
use crate::cli::{Output, work};
use crate::domain::entry::GateAct;
use crate::ops::control;
use crate::ops::folder::Folder;
use crate::ops::outcome::why;
use crate::ops::work::Work;
use crate::rush::certify::Certify;
use crate::rush::crowd::{Clients, Crowd, Habits};
use crate::rush::scene::Setting;
use crate::rush::sweep::Sweep;

/// A sweep or a certificate needs people who may book now.
fn must_be_open(found: &Found, skip: usize) -> anyhow::Result<()> {
    let some = Crowd::read(&found.people, skip, Some(SAMPLED), 0, &Habits::default())?;
    let opens_at = opening(found, &some)?;
    ensure!(
        opens_at <= found.time.now,
        "the opening of these people is at {}, and this needs one that has begun: start the demo \
         with --at 2021-07-19T20:00:00+09:00",
        found.local(opens_at)
    );
    Ok(())
}

/// Sets the gate back as it was, however this ends.
struct GateAsItWas<'a> {
    folder: &'a Folder,
    campaign: &'a str,
    rate: u32,
    active: u32,
}

impl<'a> GateAsItWas<'a> {
    fn of(folder: &'a Folder, campaign: &'a str) -> anyhow::Result<Self> {
        let gates = gate_status(folder, Some(campaign.to_owned()))?;
        let gate = gates.first().context("the server names no gate")?;
        Ok(Self {
            folder,
            campaign,
            rate: gate.board.admit_per_s,
            active: gate.active_max,
        })
    }

    fn set(&self, admit_per_s: u32, active_max: u32) -> anyhow::Result<()> {
        for act in [
            GateAct::Rate { admit_per_s },
            GateAct::Active { active_max },
        ] {
            let campaign = Some(self.campaign.to_owned());
            let answer = work(self.folder, Work::Gate { campaign, act }, None)?;
            ensure!(!answer.fault, "the gate was not set: {}", answer.human);
        }
        Ok(())
    }
}

impl Drop for GateAsItWas<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.set(self.rate, self.active) {
            eprintln!(
                "sumun: the gate was not set back ({}): run `sumun gate rate {}` and `sumun gate \
                 active {}`",
                why(&error),
                self.rate,
                self.active
            );
        }
    }
}

pub(super) fn run_sweep(folder: &Folder, options: &SweepOptions) -> anyhow::Result<Output> {
    let found = options.target.find(folder)?;
    must_be_open(&found, options.target.skip)?;
    let gate = GateAsItWas::of(folder, &found.campaign)?;
    let seed = options.target.seed;
    let mut sweep = Sweep {
        server: &found.server,
        campaign: &found.campaign,
        people: &found.people,
        skip: options.target.skip,
        setting: Setting {
            path: format!("/api/v1/campaigns/{}", found.campaign),
            base: format!("/ko/{}", found.campaign),
            host: found.server.host().to_owned(),
            origin: found.server.url.clone(),
            habits: Habits {
                think_s: options.think,
                clients: Clients::API,
                ..Habits::default()
            },
            seed,
            key: format!("sweep-{seed:x}-{:x}", found.time.now.as_millisecond()),
            speed: found.time.speed.max(0.02),
            opening_ns: 0,
            began_at: found.time.now,
            drawn: found.drawn,
        },
        connections: options.target.connections(SWEEP_CONNECTIONS),
        part: options.part,
        loads: &options.loads,
        rate: options.rate,
        warm_s: options.warm,
        run_s: options.each.max(1),
        set_gate: &|rate, active| gate.set(rate, active),
        tell: &|step| eprintln!("{}", words::sweep_step(step)),
    };
    let curve = sweep.run()?;
    drop(gate);
    if let Some(file) = &options.json_report {
        write(file, &curve.json().to_string())?;
    }
    if let Some(file) = &options.report {
        write(file, &curve.page(&command(), seed))?;
    }
    let (text, json) = (words::sweep(&curve), curve.json());
    Ok(match curve.faults() {
        0 => Output::done(text, json),
        _ => Output::fault(text, json),
    })
}

pub(super) fn run_certify(folder: &Folder, options: &CertifyOptions) -> anyhow::Result<Output> {
    let found = options.target.find(folder)?;
    must_be_open(&found, options.target.skip)?;
    let gate = GateAsItWas::of(folder, &found.campaign)?;
    let certify = Certify {
        server: &found.server,
        campaign: &found.campaign,
        people: &found.people,
        skip: options.target.skip,
        count: options.count,
        waiting: options.waiting,
        process: server_process(folder)?,
        folder: folder.path(),
        run_s: options.each.max(1),
        admit_per_s: gate.rate,
        set_gate: &|rate, active| gate.set(rate, active),
        say: &|line| eprintln!("measuring {line}"),
    };
    let certificate = certify.run()?;
    drop(gate);
    if let Some(file) = &options.json_report {
        write(file, &certificate.json().to_string())?;
    }
    if let Some(file) = &options.report {
        write(file, &certificate.page(&found.campaign, &command()))?;
    }
    let (text, json) = (words::certificate(&certificate), certificate.json());
    Ok(if certificate.holds().fits {
        Output::done(text, json)
    } else {
        Output::fault(text, json)
    })
}

/// The process that listens on the folder's socket, as the kernel knows it.
fn server_process(folder: &Folder) -> anyhow::Result<u32> {
    let server = control::connect(&folder.socket())?;
    let server = server.context("no server runs on this data folder: give its --data DIR")?;
    let peer = rustix::net::sockopt::socket_peercred(&server)?;
    Ok(peer.pid.as_raw_nonzero().get().unsigned_abs())
}
