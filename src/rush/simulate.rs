//! Millions of people at the real gate, on virtual time and without sockets.
//!
//! Gate, keeper and journal are the server's own; only the people, the time and the disk are
//! invented. Says what the evening would be like, and fails when somebody is lost or overtaken.

mod crowd;
mod measure;
mod run;

use std::path::PathBuf;

pub use measure::{Decile, Simulated};

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use crate::domain::campaign::Campaign;

/// What the simulation takes for a campaign when it is given none, before its openings: those of
/// 19 July 2021 and the evenings after it.
const EVENINGS: &str = r#"
[campaign]
id = "evening"
name = { ko = "예약", en = "Booking" }
timezone = "Asia/Seoul"
identity = ["name", "birth_date", "code"]
[[cohort]]
id = "born-1967-1968"
born = ["1967-01-01", "1968-12-31"]
[[vaccine]]
id = "mrna"
doses = 2
interval_days = 28
[gate]
lobby_opens_min = 30
"#;

/// What to simulate. Percentages are of all people, instants are minutes after the opening.
#[derive(Args, Debug, Clone)]
pub struct Options {
    /// People who come
    #[arg(long, default_value_t = 6_000_000, value_name = "N")]
    pub people: u32,
    /// A campaign file; its gate settings and its first openings are used
    #[arg(long, value_name = "FILE")]
    pub campaign: Option<PathBuf>,
    /// People let in a second, instead of the file's
    #[arg(long, value_name = "PER_S")]
    pub admit_per_s: Option<u32>,
    /// People in at a time, instead of the file's
    #[arg(long, value_name = "MAX")]
    pub active_max: Option<u32>,
    /// Come before the opening, into the lobby
    #[arg(long, default_value_t = 30.0, value_name = "PERCENT")]
    pub lobby: f64,
    /// The others come at a rate that falls to a third in this time
    #[arg(long, default_value_t = 300.0, value_name = "S")]
    pub arrive_s: f64,
    /// Enter and never look again
    #[arg(long, default_value_t = 5.0, value_name = "PERCENT")]
    pub no_show: f64,
    /// Of those who wait, give up in an hour
    #[arg(long, default_value_t = 3.0, value_name = "PERCENT")]
    pub give_up: f64,
    /// Look from a second device too
    #[arg(long, default_value_t = 0.0, value_name = "PERCENT")]
    pub second_device: f64,
    /// Come some minutes after their turn came
    #[arg(long, default_value_t = 3.0, value_name = "PERCENT")]
    pub late: f64,
    /// Go in and leave without a word: their session idles out
    #[arg(long, default_value_t = 3.0, value_name = "PERCENT")]
    pub idle: f64,
    /// Lose their session while booking and come in again
    #[arg(long, default_value_t = 1.0, value_name = "PERCENT")]
    pub again: f64,
    /// How long a booking takes, on average
    #[arg(long, default_value_t = 150.0, value_name = "S")]
    pub session_s: f64,
    /// Pause the gate between two minutes, as 40-120
    #[arg(long, value_name = "FROM-UNTIL", value_parser = window)]
    pub pause: Option<(u32, u32)>,
    /// Have the brake pull between two minutes
    #[arg(long, value_name = "FROM-UNTIL", value_parser = window)]
    pub brake: Option<(u32, u32)>,
    /// Set another rate at a minute, as 30=140; several times
    #[arg(long, value_name = "AT=PER_S", value_parser = setting)]
    pub rate: Vec<(u32, u32)>,
    /// Stop at this minute; at the end of the line if not given
    #[arg(long, value_name = "MINUTE")]
    pub until: Option<u32>,
    /// Evenings, one after the other, of the same people at one gate: openings of the file, or a
    /// day apart. Nobody is ahead for having come the evening before.
    #[arg(long, default_value_t = 1, value_name = "N",
          value_parser = clap::value_parser!(u8).range(1..=10))]
    pub evenings: u8,
    /// Another evening with the same people in number
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

fn window(text: &str) -> Result<(u32, u32), String> {
    let ends = text.split_once('-');
    let ends = ends.and_then(|(from, until)| Some((from.parse().ok()?, until.parse().ok()?)));
    let ends = ends.filter(|(from, until): &(u32, u32)| from < until);
    ends.ok_or_else(|| "write it as 40-120".to_owned())
}

fn setting(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once('=');
    let parts = parts.and_then(|(at, rate)| Some((at.parse().ok()?, rate.parse().ok()?)));
    let parts = parts.filter(|(_, rate): &(u32, u32)| *rate > 0);
    parts.ok_or_else(|| "write it as 30=140".to_owned())
}

/// The campaign that is simulated when none is given.
fn evenings(number: u8) -> String {
    let mut text = EVENINGS.to_owned();
    for day in 19..19 + number {
        text += &format!(
            "[[opening]]\ncohorts = [\"born-1967-1968\"]\nfrom = \"2021-07-{day}T20:00\"\n\
             until = \"2021-07-{}T18:00\"\n",
            day + 1
        );
    }
    text
}

/// Simulates evenings.
pub fn run(options: &Options) -> anyhow::Result<Vec<Simulated>> {
    ensure!(options.people > 0, "--people is at least 1");
    ensure!(
        options.people < 1 << 26,
        "--people is less than {}",
        1 << 26
    );
    let source = match &options.campaign {
        None => evenings(options.evenings),
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("can't read {}", file.display()))?,
    };
    let campaign = match Campaign::parse(&source) {
        Ok((campaign, _)) => campaign,
        Err(findings) => bail!(
            "the campaign file has {} findings: run `sumun campaign check`",
            findings.len()
        ),
    };
    let mut openings = campaign.openings.clone();
    openings.sort_by_key(|opening| opening.from);
    openings.truncate(usize::from(options.evenings));
    ensure!(!openings.is_empty(), "the campaign has no opening");
    ensure!(
        openings.len() == usize::from(options.evenings),
        "the campaign has {} openings: give --evenings {0} or fewer",
        openings.len()
    );
    let mut run = run::Run::new(options, &source, campaign, &openings[0])?;
    let mut all = Vec::new();
    for (evening, opening) in (0..).zip(&openings) {
        all.push(run.live(opening, evening)?);
    }
    Ok(all)
}
