//! `sumun rush`: rehearsals against a running server.

mod evenings;
mod measure;
mod rehearse;
mod words;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Output, demo, told};
use crate::ops::control;
use crate::ops::folder::Folder;
use crate::ops::outcome::{Done, GateStatus};
use crate::ops::work::Work;
use crate::rush::crowd::{Clients, Crowd, Habits};
use crate::rush::simulate;
use crate::rush::sweep::LOADS;
use crate::rush::target::{Server, Time, find};
use measure::{run_certify, run_sweep};
use rehearse::rehearse;

/// The campaign of the demo.
const CAMPAIGN: &str = "kr-2021-50s";
/// Birth dates that are asked about before the rush.
const SAMPLED: usize = 20;
/// An opening further away than this is not waited for.
const AHEAD_S_MAX: f64 = 1_800.0;
/// Connections if not told otherwise. Whoever is put off keeps theirs for a second: a sweep needs
/// enough that its people don't wait for one another.
const RUSH_CONNECTIONS: u32 = 1_000;
const SWEEP_CONNECTIONS: u32 = 18_000;

#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  sumun demo --plain-http --data /tmp/demo --people 100000 --at 2021-07-19T19:59:30+09:00
  sumun rush --data /tmp/demo --report rush.html      # in another terminal

  sumun rush https://127.0.0.1:8021 --ca certs/server.pem --people people.csv --bots 0.05

Everybody lives by the server's clock: with `demo --speed 10` they act ten times as fast.
Exit code 1 means that a promise was broken: another place than before, a lost booking, a
number given twice, an answer outside the contract. Refusals and shed requests are none."
)]
pub struct Rush {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    evening: Evening,
    /// How many people come; everybody in the file if not given
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    #[command(subcommand)]
    command: Option<RushCommand>,
}

#[derive(Subcommand, Debug)]
pub enum RushCommand {
    /// Run millions of people through the gate on virtual time, without a server
    #[command(
        after_help = "Example:\n  sumun rush simulate --people 6000000 --pause 40-120\n\nExits 1 \
                      when somebody is lost, doubled or overtaken."
    )]
    Simulate(simulate::Options),
    /// Rehearse several openings in a row on one data folder, with a demo of its own for each
    Evenings(evenings::EveningsOptions),
    /// Offer 1, 2, 5, 10 and 20 times what the host holds, and show what is booked
    Sweep(SweepOptions),
    /// Measure what each call costs, and say what this host holds for the campaign
    Certify(CertifyOptions),
}

#[derive(Args, Debug)]
#[command(after_help = "Example:
  sumun demo --data /tmp/demo --people 1540000 --at 2021-07-19T20:00:00+09:00
  sumun rush certify --data /tmp/demo --report certificate.html

It sets the gate's rate through the data folder's socket, and sets it back at the end. The people
of the file that it used have bookings afterwards: use a demo, or a copy of the real folder.")]
pub struct CertifyOptions {
    #[command(flatten)]
    target: Target,
    /// People who enter and book for it
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    count: usize,
    /// People after them who only enter, to weigh those who wait: as many as the file has, for a
    /// minute at most
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    waiting: usize,
    /// Each call that can be repeated is, for so long
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    each: u64,
    /// Write the certificate, one HTML file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json_report: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:
  sumun demo --plain-http --data /tmp/demo --people 2200000 --at 2021-07-19T20:00:00+09:00
  sumun rush sweep --data /tmp/demo --report sweep.html

It sets the gate's rate through the data folder's socket, and sets it back at the end. The people
of the file that it used have bookings afterwards: use a demo, or a copy of the real folder.")]
pub struct SweepOptions {
    #[command(flatten)]
    target: Target,
    /// The part of the measured capacity that the gate lets in; the rest is for those who wait
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share)]
    part: f64,
    /// Let so many people in each second, and measure no capacity
    #[arg(long, value_name = "PER_S")]
    rate: Option<u32>,
    /// The loads, as times the people that the gate lets in
    #[arg(
        long,
        value_name = "TIMES",
        value_delimiter = ',',
        default_values_t = LOADS,
        value_parser = clap::value_parser!(u32).range(1..=100)
    )]
    loads: Vec<u32>,
    /// Each load runs so long before it counts: the first of a line come later than they are called
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    warm: u64,
    /// Each load counts so long
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    each: u64,
    /// Seconds between two clicks, on average
    #[arg(long, value_name = "SECONDS", default_value_t = 0.25, value_parser = positive)]
    think: f64,
    /// Write the report, one HTML file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json_report: Option<PathBuf>,
}

/// The server, and who comes to it.
#[derive(Args, Clone, Debug)]
pub struct Target {
    /// The server; that of the data folder if not given
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// The roster file of those who come; people.csv of the data folder if not given
    #[arg(long, value_name = "FILE")]
    people: Option<PathBuf>,
    /// The campaign; the data folder's if not given
    #[arg(long, value_name = "ID")]
    campaign: Option<String>,
    /// The certificate to trust, in PEM; the data folder's if not given
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Go on although the address is not of this machine
    #[arg(long)]
    this_host_is_mine: bool,
    /// The same seed makes the same people do the same
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Keep-alive connections that everybody shares: 1,000 if not given, for a sweep 18,000
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=25_000))]
    connections: Option<u32>,
    /// Leave out so many people at the top of the file
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip: usize,
}

/// How the evening goes.
#[derive(Args, Clone, Debug)]
pub struct Evening {
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 1_800)]
    for_s: u64,
    /// The part of people who come into the lobby before the opening
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    early: f64,
    /// Seconds after which the stream of arrivals has fallen to a third
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = positive)]
    decay: f64,
    /// The last people come so many seconds after the opening
    #[arg(long, value_name = "SECONDS", default_value_t = 600.0, value_parser = positive)]
    arrive_for: f64,
    /// Bots, which ignore next_poll_s and hammer
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    bots: f64,
    /// A bot asks again after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5, value_parser = positive)]
    bot_every: f64,
    /// People who open a second tab
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, value_parser = share)]
    tabs: f64,
    /// People who lose patience
    #[arg(long, value_name = "SHARE", default_value_t = 0.04, value_parser = share)]
    give_up: f64,
    /// People who hold a slot before they book it
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = share)]
    hold: f64,
    /// People who look at their booking
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, value_parser = share)]
    look: f64,
    /// People who move their booking
    #[arg(long, value_name = "SHARE", default_value_t = 0.03, value_parser = share)]
    moves: f64,
    /// People who cancel it
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share)]
    cancel: f64,
    /// Requests on a new connection
    #[arg(long, value_name = "SHARE", default_value_t = 0.01, value_parser = share)]
    reconnect: f64,
    /// Requests whose connection is lost before the answer: airplane mode
    #[arg(long, value_name = "SHARE", default_value_t = 0.002, value_parser = share)]
    cut: f64,
    /// Seconds between two clicks, on average
    #[arg(long, value_name = "SECONDS", default_value_t = 4.0, value_parser = positive)]
    think: f64,
    /// What people come with: the pages in a browser, the pages without a script (plain), or a
    /// program of their own that calls the API
    #[arg(
        long,
        value_name = "SHARES",
        default_value = "pages=0.8,plain=0.1,api=0.1"
    )]
    clients: Clients,
    /// People looked up at the end, who must have what they were told
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    check: usize,
    /// Write the report, one HTML file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the summary and every second as JSON
    #[arg(long, value_name = "FILE")]
    json_report: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "is no number".to_owned())?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("a share is from 0 to 1".to_owned())
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "is no number".to_owned())?;
    if value > 0.0 && value <= 86_400.0 {
        Ok(value)
    } else {
        Err("give a number above 0, of a day at most".to_owned())
    }
}

pub fn run(folder: &Folder, rush: Rush, json: bool) -> anyhow::Result<Output> {
    match rush.command {
        None => rehearse(folder, &rush, json),
        Some(RushCommand::Evenings(options)) => evenings::run(folder, &options, json),
        Some(RushCommand::Simulate(options)) => Ok(words::simulated(&simulate::run(&options)?)),
        Some(RushCommand::Sweep(sweep)) => run_sweep(folder, &sweep),
        Some(RushCommand::Certify(certify)) => run_certify(folder, &certify),
    }
}

/// A server that answers, and the campaign to come for.
pub struct Found {
    pub server: Server,
    pub campaign: String,
    pub drawn: bool,
    pub lobby_opens_min: f64,
    pub people: PathBuf,
    pub time: Time,
    zone: TimeZone,
}

impl Found {
    /// An instant as the campaign's people read it.
    fn local(&self, at: Timestamp) -> String {
        let local = at.to_zoned(self.zone.clone());
        local.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
    }
}

impl Target {
    /// How many connections to open: no more than this program may.
    fn connections(&self, usual: u32) -> usize {
        let allowed = crate::server::raise_file_limit().saturating_sub(100);
        (self.connections.unwrap_or(usual) as usize).min(allowed)
    }

    pub fn find(&self, folder: &Folder) -> anyhow::Result<Found> {
        let first = ["evenings", "sweep", "certify", "simulate"];
        if let Some(word) = self.url.as_deref().filter(|url| first.contains(url)) {
            bail!("write it first, and the options after it: `sumun rush {word} --data DIR`");
        }
        let url = match &self.url {
            Some(url) => url.clone(),
            None => url_of(folder)?,
        };
        let ca = self.ca.clone().or_else(|| {
            let own = folder.certificate();
            own.exists().then_some(own)
        });
        let way = find(&url, ca.as_deref(), self.this_host_is_mine)?;
        let url = url.trim_end_matches('/').to_owned();
        let server = Server { way, url };
        let time = server.time()?;
        let id = match &self.campaign {
            Some(id) => id.clone(),
            None => campaign_of(folder).unwrap_or_else(|| CAMPAIGN.to_owned()),
        };
        let shown = server.campaign(&id)?;
        let people = match &self.people {
            Some(file) => file.clone(),
            None => folder.path().join("people.csv"),
        };
        ensure!(
            people.exists(),
            "{} does not exist: give --people FILE.csv, or --data DIR of a demo",
            people.display()
        );
        Ok(Found {
            server,
            campaign: id,
            drawn: shown["gate"]["order"] == "draw",
            lobby_opens_min: shown["gate"]["lobby_opens_min"].as_f64().unwrap_or(0.0),
            people,
            time,
            zone: TimeZone::get(shown["zone"].as_str().unwrap_or("UTC"))?,
        })
    }
}

fn url_of(folder: &Folder) -> anyhow::Result<String> {
    if let Ok(url) = std::fs::read_to_string(demo::url_file(folder)) {
        return Ok(url.trim().to_owned());
    }
    let shown = folder.path().display();
    ensure!(
        folder.settings().exists(),
        "no server is known in {shown}: name one (http://127.0.0.1:8021), or its folder with --data"
    );
    let config = folder.config(None)?;
    let scheme = if config.plain_http { "http" } else { "https" };
    Ok(format!("{scheme}://{}", config.listen))
}

fn campaign_of(folder: &Folder) -> Option<String> {
    let gates = gate_status(folder, None).ok()?;
    Some(gates.into_iter().next()?.campaign)
}

/// What the operators' socket says of the gates.
fn gate_status(folder: &Folder, campaign: Option<String>) -> anyhow::Result<Vec<GateStatus>> {
    let server = control::connect(&folder.socket())?;
    let server = server.with_context(|| {
        let shown = folder.path().display();
        format!("no server runs on {shown}: give the --data folder of the server")
    })?;
    match control::ask(server, Work::GateStatus { campaign }, None)? {
        Ok(Done::GateStatus(gates)) => Ok(gates),
        other => bail!("{}", told::answer(other).human),
    }
}

impl Evening {
    fn habits(&self) -> Habits {
        Habits {
            bots: self.bots,
            bot_every_s: self.bot_every,
            tabs: self.tabs,
            give_up: self.give_up,
            hold: self.hold,
            look: self.look,
            moves: self.moves,
            cancel: self.cancel,
            reconnect: self.reconnect,
            cut: self.cut,
            think_s: self.think,
            clients: self.clients,
        }
    }
}

fn command() -> String {
    std::env::args().collect::<Vec<_>>().join(" ")
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| format!("can't write {}", file.display()))
}

/// When these people may book: now, or at the next opening of some of them.
fn opening(found: &Found, crowd: &Crowd) -> anyhow::Result<Timestamp> {
    let every = (crowd.people.len() / SAMPLED).max(1);
    let mut next: Option<Timestamp> = None;
    let mut said = String::new();
    for person in (0..crowd.people.len()).step_by(every).take(SAMPLED) {
        let born = crowd.credentials(person as u32)[1];
        let (answer, opens_at) = found.server.opening_of(&found.campaign, born)?;
        match answer.as_str() {
            "eligible" => return Ok(found.time.now),
            _ => next = next.into_iter().chain(opens_at).min(),
        }
        said = answer;
    }
    next.with_context(|| {
        format!(
            "nobody of {} can book in {} any more: the server says {said} at {}; is it the right \
             campaign, and the right time?",
            found.people.display(),
            found.campaign,
            found.local(found.time.now)
        )
    })
}
