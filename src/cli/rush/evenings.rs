//! `sumun rush evenings`: several openings in a row on one data folder. Each has a demo of its own,
//! which is started shortly before it and stopped after it.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use clap::Args;
use jiff::civil::Date;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::rehearse::{Held, Hour, hold};
use super::{Evening, Found, Target, share, words, write};
use crate::cli::campaign::read_campaign;
use crate::cli::{Output, demo};
use crate::domain::campaign::{Campaign, Cohort, Opening, read_date};
use crate::domain::time::Stamp;
use crate::ops::folder::Folder;
use crate::rush::crowd::{AGAIN, BOOKED, Crowd};
use crate::rush::curve::Curve;
use crate::rush::evenings::{EveningLine, HeldEvening, fault_count, json, page};
use crate::rush::random::Random;

/// A place's token is good for so long, and a browser keeps it for so long.
const TOKEN_S: f64 = 86_400.0;
/// Whoever comes with a token has looked at it by then.
const LOOKS_WITHIN_S: f64 = 120.0;
/// Purposes of random numbers, one an evening; those below are the crowd's.
const COMES: u64 = 1_000;

#[derive(Args, Debug)]
#[command(after_help = "Example:
  sumun rush evenings --data /tmp/evenings --people 100000 --report evenings.html

The evenings are those of 19, 20 and 21 July 2021. On each of them everybody comes who may book
from then on, has no booking, and is not left at home by --turnout or --again. Whoever came before
and got nothing has no better place than anybody else: this is checked.
Exit code 1 means that a promise was broken on one of the evenings.")]
pub struct EveningsOptions {
    /// How many people to invent, of all ages that may come on one of the evenings
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    people: u64,
    /// How many openings to rehearse, one after the other
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..=20))]
    evenings: u32,
    /// The first of them is the first that is not before this date
    #[arg(long, value_name = "DATE", default_value = "2021-07-19")]
    from: String,
    /// Each demo's clock starts so many seconds before the opening
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u32).range(1..=1_800))]
    ahead: u32,
    /// The part of people who come, of those who have not come before
    #[arg(long, value_name = "SHARE", default_value_t = 0.7, value_parser = share)]
    turnout: f64,
    /// The part of people who come again, of those who came and have no booking
    #[arg(long, value_name = "SHARE", default_value_t = 0.9, value_parser = share)]
    again: f64,
    /// Another campaign than that of July 2021, with the same sites and slots
    #[arg(long, value_name = "FILE")]
    campaign: Option<PathBuf>,
    /// How fast the demos' clocks run
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    speed: f64,
    /// Plain HTTP instead of HTTPS
    #[arg(long)]
    plain_http: bool,
    /// The same seed makes the same people do the same
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Keep-alive connections that everybody shares: 1,000 if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=25_000))]
    connections: Option<u32>,
    #[command(flatten)]
    evening: Evening,
}

pub fn run(folder: &Folder, options: &EveningsOptions, as_json: bool) -> anyhow::Result<Output> {
    let campaign = options.campaign()?;
    let openings = options.openings(&campaign)?;
    let mut held: Vec<HeldEvening> = Vec::new();
    let mut all = None;
    for (turn, opening) in (0..).zip(&openings) {
        let server = Server::start(folder, options, opening, &openings)?;
        let target = options.target(&server.url);
        let found = target.find(folder)?;
        let crowd = match all.take() {
            Some(crowd) => crowd,
            None => options.crowd(&found)?,
        };
        let next = Next {
            options,
            opening,
            before: held.last(),
            turn,
        };
        let (evening, crowd) = next.hold(&found, &target, crowd)?;
        server.stop()?;
        eprintln!("{}", words::evening(&evening));
        held.push(evening);
        all = Some(crowd);
    }
    if let Some(file) = &options.evening.json_report {
        write(file, &json(&held).to_string())?;
    }
    if let Some(file) = &options.evening.report {
        write(file, &page(&held))?;
        if !as_json {
            eprintln!("the report is in {}", file.display());
        }
    }
    let (human, told) = (words::evenings(&held), words::evenings_json(&held));
    Ok(match fault_count(&held) {
        0 => Output::done(human, told),
        _ => Output::fault(human, told),
    })
}

/// An instant at which an opening begins, or several, with the cohorts that may book from then on.
struct Begins<'a> {
    at: Stamp,
    whom: Vec<(&'a Opening, &'a Cohort)>,
}

impl Begins<'_> {
    fn is_for(&self, born: Date) -> bool {
        self.whom.iter().any(|(opening, cohort)| {
            let digit = (born.day() % 10) as u8;
            let digits = &opening.birth_day_last_digits;
            let is_of_day = digits.is_empty() || digits.contains(&digit);
            (cohort.born.0..=cohort.born.1).contains(&born) && is_of_day
        })
    }
}

impl EveningsOptions {
    fn campaign(&self) -> anyhow::Result<Campaign> {
        match &self.campaign {
            Some(file) => Ok(read_campaign(file)?.0),
            None => Campaign::parse(demo::CAMPAIGN)
                .map(|(campaign, _)| campaign)
                .map_err(|found| anyhow::anyhow!("the demo's campaign has findings: {found:?}")),
        }
    }

    /// The openings to rehearse, in their order.
    fn openings<'a>(&self, campaign: &'a Campaign) -> anyhow::Result<Vec<Begins<'a>>> {
        let from = read_date(&self.from).map_err(|why| anyhow::anyhow!("--from: {why}"))?;
        let is_later = |opening: &&Opening| campaign.zone.local(opening.from).date() >= from;
        let mut openings: Vec<&Opening> = campaign.openings.iter().filter(is_later).collect();
        openings.sort_by_key(|opening| opening.from);
        let mut begins: Vec<Begins<'a>> = Vec::new();
        for opening in openings {
            // Who is in a group is not known from outside, so only ages are.
            let cohorts = opening.cohorts.iter().map(|at| &campaign.cohorts[*at]);
            let whom = cohorts
                .filter(|cohort| cohort.groups_any.is_empty())
                .map(|cohort| (opening, cohort));
            match begins.last_mut() {
                Some(last) if last.at == opening.from => last.whom.extend(whom),
                _ => begins.push(Begins {
                    at: opening.from,
                    whom: whom.collect(),
                }),
            }
        }
        begins.truncate(self.evenings as usize);
        ensure!(
            begins.len() == self.evenings as usize,
            "the campaign has {} openings from {} on: give fewer --evenings or an earlier --from",
            begins.len(),
            self.from
        );
        Ok(begins)
    }

    fn target(&self, url: &str) -> Target {
        Target {
            url: Some(url.to_owned()),
            people: None,
            campaign: None,
            ca: None,
            this_host_is_mine: false,
            seed: self.seed,
            connections: self.connections,
            skip: 0,
        }
    }

    fn crowd(&self, found: &Found) -> anyhow::Result<Crowd> {
        Crowd::read(&found.people, 0, None, self.seed, &self.evening.habits())
    }
}

/// The evening that comes next.
struct Next<'a> {
    options: &'a EveningsOptions,
    opening: &'a Begins<'a>,
    before: Option<&'a HeldEvening>,
    turn: u64,
}

impl Next<'_> {
    fn hold(
        &self,
        found: &Found,
        target: &Target,
        mut crowd: Crowd,
    ) -> anyhow::Result<(HeldEvening, Crowd)> {
        let options = self.options;
        let opens_at = self.opening.at.instant();
        let hour = Hour::of(found, opens_at)?;
        let who = self.who_comes(&mut crowd, hour, &hour.curve(found, &options.evening))?;
        ensure!(
            !who.is_empty(),
            "nobody comes to the opening at {}: give more --people",
            found.local(opens_at)
        );
        let held = hold(found, target, &options.evening, hour, crowd, &who)?;
        let Held {
            rehearsal,
            mut drive,
        } = held;
        let line = EveningLine::of(&mut drive.scene, &who);
        for arrival in drive.scene.arrivals().to_vec() {
            let token_s = arrival.known_ns as f64 / 1e9 * rehearsal.speed;
            let at_s = rehearsal.began_at.as_second() as f64 + token_s;
            drive.scene.crowd.people[arrival.person as usize].token_at_s = at_s as u32;
        }
        let (record, crowd) = drive.scene.ended();
        let evening = HeldEvening {
            rehearsal,
            record,
            line,
        };
        Ok((evening, crowd))
    }

    /// Who comes this evening. Everybody else sleeps on; a token that will be too old by then is
    /// thrown away, as browsers do.
    fn who_comes(&self, crowd: &mut Crowd, hour: Hour, curve: &Curve) -> anyhow::Result<Vec<u32>> {
        let options = self.options;
        let mut who = Vec::new();
        for me in 0..crowd.people.len() as u32 {
            let at_s = hour.opens_at.as_second() as f64 + curve.arrival_of(options.seed, me);
            let born = read_date(crowd.credentials(me)[1]);
            let born = born.map_err(|why| anyhow::anyhow!("person {me} of the roster: {why}"))?;
            let person = &mut crowd.people[me as usize];
            let age_s = at_s + LOOKS_WITHIN_S - f64::from(person.token_at_s);
            if self.before.is_some() {
                person.sleep(age_s < TOKEN_S);
            }
            let part = if person.is(AGAIN) {
                options.again
            } else {
                options.turnout
            };
            let comes = Random::of(options.seed, me, COMES + self.turn).chance(part);
            if comes && !person.is(BOOKED) && self.opening.is_for(born) {
                who.push(me);
            }
        }
        Ok(who)
    }
}

/// A demo that runs as a process of its own.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts it shortly before an opening. Its clock begins where the folder's time is, if that
    /// is later.
    fn start(
        folder: &Folder,
        options: &EveningsOptions,
        opening: &Begins<'_>,
        all: &[Begins<'_>],
    ) -> anyhow::Result<Self> {
        let at = opening.at.plus_s(-i64::from(options.ahead)).instant();
        let ages = all.iter().flat_map(|begins| &begins.whom);
        let ages: Vec<(Date, Date)> = ages.map(|(_, cohort)| cohort.born).collect();
        let first = ages.iter().map(|born| born.0).min();
        let last = ages.iter().map(|born| born.1).max();
        let (first, last) = { first.zip(last) }.context("no cohort of these openings is by age")?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["demo", "--json", "--listen", "127.0.0.1:0"]);
        command.args([
            "--at",
            &at.to_string(),
            "--born",
            &format!("{first}..{last}"),
        ]);
        command.args(["--people", &options.people.to_string()]);
        command.args(["--speed", &options.speed.to_string()]);
        if options.plain_http {
            command.arg("--plain-http");
        }
        if let Some(file) = &options.campaign {
            command.arg("--campaign").arg(file);
        }
        command.arg("--data").arg(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().context("the demo can't be started")?;
        let out = child.stdout.take().context("the demo has no output")?;
        let mut server = Self {
            child,
            url: String::new(),
        };
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).unwrap_or_default();
        let url = ready["base_url"].as_str();
        url.context("the demo did not start: see what it says above")?
            .clone_into(&mut server.url);
        Ok(server)
    }

    /// Stops it in order, and waits for its end.
    fn stop(mut self) -> anyhow::Result<()> {
        if let Some(process) = Pid::from_raw(self.child.id().cast_signed()) {
            kill_process(process, Signal::TERM)?;
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "the demo did not stop in order: {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
