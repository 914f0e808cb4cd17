//! `sumun demo`: a whole running example that a newcomer can book with two minutes later.

use std::collections::VecDeque;
use std::fs;
use std::io::BufWriter;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::campaign::read_campaign;
use super::told::rows;
use super::{Output, serve};
use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::demo;
use crate::domain::agency::Agency;
use crate::domain::campaign::{Campaign, read_date, read_instant};
use crate::domain::entry::{Actor, Role};
use crate::domain::ids::VaccineIndex;
use crate::domain::staff::{AccountId, Bounds};
use crate::domain::state::State;
use crate::domain::time::{Day, Stamp};
use crate::engine::command::{Accepted, Command, Operation, Outcome};
use crate::engine::core::Core;
use crate::files::roster;
use crate::identity::staff::{generate_password, otp};
use crate::keys::Keys;
use crate::ops::folder::{FIRST_ADMIN, Folder, write_new};
use crate::ops::work::staff::{self, set};
use crate::server::{self, Addresses};
use crate::systemd::Started;

pub const CAMPAIGN: &str = include_str!("../../data/campaign.toml");
/// Who the demo is by, with its logo.
const AGENCY: &str = include_str!("../../data/agency.toml");
const LOGO: &[u8] = include_bytes!("../../data/agency-logo.svg");
/// Lines for a shell that sign in, look and book.
const CURL: &str = include_str!("demo-curl.txt");
/// The evening of 19 July 2021: 1.54 million people may book from eight o'clock.
const STARTS: &str = "2021-07-19T19:58:00+09:00";
const BORN: (Date, Date) = (date(1967, 1, 1), date(1968, 12, 31));
const FIRST_DOSES: Date = date(2021, 7, 26);
const SITES: usize = 282;
const SEED: u64 = 20_210_719;
/// People whose sign-in is printed.
const SHOWN: u64 = 3;

#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  sumun demo --plain-http --people 100000\n\nStarted again on the \
                        same --data folder it goes on with the same people and bookings."
)]
pub struct Demo {
    /// How many people to invent
    #[arg(long, value_name = "N", default_value_t = 100_000,
          value_parser = clap::value_parser!(u64).range(SHOWN..=demo::PEOPLE_MAX))]
    people: u64,
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8021")]
    listen: SocketAddr,
    /// Where the agency's people connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    desk_listen: SocketAddr,
    /// Plain HTTP instead of HTTPS; on loopback only
    #[arg(long)]
    plain_http: bool,
    /// When the simulated clock starts: two minutes before the opening of 19 July 2021 if not given
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// Another campaign than that of July 2021, with the same people, sites and slots
    #[arg(long, value_name = "FILE")]
    campaign: Option<PathBuf>,
    /// The first and the last birth date of the people, such as 1967-01-01..1971-12-31; those of
    /// the opening of 19 July 2021 if not given
    #[arg(long, value_name = "DATE..DATE", value_parser = born)]
    born: Option<Born>,
    /// How fast the simulated clock runs
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    speed: f64,
}

/// First and last birth date.
type Born = (Date, Date);

fn born(text: &str) -> Result<Born, String> {
    let day = |text: &str| read_date(text).map_err(|_| format!("{text:?} is no date"));
    let (first, last) = text
        .split_once("..")
        .ok_or("write two dates with .. between them")?;
    let born = (day(first)?, day(last)?);
    if born.0 <= born.1 {
        Ok(born)
    } else {
        Err("the first date is after the last".to_owned())
    }
}

/// What a demo's folder remembers, to go on with it.
#[derive(Serialize, Deserialize)]
struct Made {
    people: u64,
    seed: u64,
    /// As `--born` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    born: Option<String>,
}

impl Made {
    fn born(&self) -> Born {
        let given = self.born.as_deref().and_then(|text| born(text).ok());
        given.unwrap_or(BORN)
    }
}

pub fn run(folder: &Folder, demo: &Demo, json: bool) -> anyhow::Result<Output> {
    ensure!(
        demo.speed.is_finite() && (0.0..=100_000.0).contains(&demo.speed),
        "--speed {}: give a number from 0 to 100000",
        demo.speed
    );
    let (campaign, source) = match &demo.campaign {
        Some(file) => read_campaign(file)?,
        None => {
            let (campaign, _) = Campaign::parse(CAMPAIGN)
                .map_err(|found| anyhow::anyhow!("the demo's campaign has findings: {found:?}"))?;
            (campaign, CAMPAIGN.to_owned())
        }
    };
    let at = demo
        .at
        .as_deref()
        .map(|at| read_instant(at, &campaign.zone));
    let at = at
        .transpose()
        .map_err(|why| anyhow::anyhow!("--at: {why}"))?;
    let config = Config {
        listen: demo.listen,
        admin_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        desk_listen: Some(demo.desk_listen),
        plain_http: demo.plain_http,
        log: "warn".to_owned(),
        ..folder.config(None)?
    };
    config.check().map_err(anyhow::Error::msg)?;
    serve::start_log(&config.log);
    let (core, made) = if made_file(folder).exists() {
        go_on(folder, demo, at)?
    } else {
        make(folder, demo, (&campaign, source), at)?
    };
    let people = People {
        folder,
        made: &made,
    };
    let staff = demo_staff(folder)?;
    server::run(core, folder, &config, Started::default(), |addresses| {
        // For commands that look for the server of this folder; nothing depends on it.
        let _ = fs::write(url_file(folder), base_url(demo, addresses));
        let shown = people.shown();
        if json {
            println!(
                "{}",
                ready(folder, demo, &campaign, addresses, (&shown, &staff))
            );
        } else {
            println!(
                "{}",
                welcome(folder, demo, &campaign, addresses, (&shown, &staff))
            );
        }
    })?;
    Ok(Output::nothing())
}

fn made_file(folder: &Folder) -> PathBuf {
    folder.path().join("demo.json")
}

/// Where a demo of this folder listens, or listened last.
pub fn url_file(folder: &Folder) -> PathBuf {
    folder.path().join("demo.url")
}

/// Opens what an earlier demo made; its time goes on from its last entry.
fn go_on(folder: &Folder, demo: &Demo, at: Option<Stamp>) -> anyhow::Result<(Core, Made)> {
    let text = fs::read_to_string(made_file(folder))?;
    let made: Made = serde_json::from_str(&text)
        .with_context(|| format!("{} can't be read", made_file(folder).display()))?;
    let clock =
        |state: &State| Clock::simulated(at.unwrap_or(state.stamp).max(state.stamp), demo.speed);
    Ok((folder.open(clock)?, made))
}

fn make(
    folder: &Folder,
    demo: &Demo,
    (campaign, source): (&Campaign, String),
    at: Option<Stamp>,
) -> anyhow::Result<(Core, Made)> {
    if folder.data_file().exists() {
        bail!(
            "{} was not made by a demo: give another --data folder, a demo never touches real data",
            folder.path().display()
        );
    }
    let at = at
        .map_or_else(|| Stamp::parse(STARTS), Ok)
        .map_err(anyhow::Error::msg)?;
    // The evening's time runs from when the server is ready, not from the start of the work.
    let still = Clock::simulated(at, 0.0);
    folder.init(&still)?;
    eprintln!("inventing {} people", demo.people);
    let made = Made {
        people: demo.people,
        seed: SEED,
        born: { demo.born }.map(|(first, last)| format!("{first}..{last}")),
    };
    let path = folder.path().join("people.csv");
    let file = BufWriter::new(fs::File::create(&path)?);
    roster::write_csv(demo::people(made.seed, made.people, made.born()), file)?;
    let today = Day::of(campaign.zone.local(at).date());
    let keys = folder.keys()?;
    let prepared = roster::read_file(&path, &keys, &Entropy::system(), today)
        .map_err(|report| anyhow::anyhow!("the invented people don't import: {}", rows(&report)))?;
    let sites = demo::sites(made.seed, SITES);
    let lines = demo::slots(&sites, FIRST_DOSES, made.people);
    let vaccine = VaccineIndex(0);
    let slots: Result<Vec<_>, _> = lines
        .iter()
        .map(|line| line.row(vaccine, &campaign.zone))
        .collect();
    eprintln!(
        "storing {} people, {} sites, {} slots",
        made.people,
        sites.len(),
        lines.len()
    );
    {
        let mut core = folder.open(|_| still.clone())?;
        let id = campaign.id.clone();
        let now = core.clock().now();
        operate(
            &mut core,
            Operation::Activate {
                source,
                now,
                shifts: false,
            },
        )?;
        if let Some(activate) = agency_for(campaign)? {
            operate(&mut core, activate)?;
        }
        operate(
            &mut core,
            Operation::ImportRoster {
                prepared: Box::new(prepared),
                accepted: Accepted::default(),
            },
        )?;
        operate(
            &mut core,
            Operation::ImportSites {
                campaign: id.clone(),
                rows: sites,
            },
        )?;
        operate(
            &mut core,
            Operation::ImportSlots {
                campaign: id,
                version: None,
                rows: slots?,
                now,
            },
        )?;
        make_staff(folder, &mut core, &keys)?;
        core.close()?;
    }
    let core = folder.open(|_| Clock::simulated(at, demo.speed))?;
    write_new(
        &made_file(folder),
        0o640,
        serde_json::to_string(&made)?.as_bytes(),
    )?;
    Ok((core, made))
}

/// The agency's words and looks; none for a campaign without the vaccines that they name.
fn agency_for(campaign: &Campaign) -> anyhow::Result<Option<Operation>> {
    let (agency, _) = Agency::parse(AGENCY, |_| Ok(LOGO.to_vec()))
        .map_err(|found| anyhow::anyhow!("the demo's agency has findings: {found:?}"))?;
    let has = |id: &str| campaign.vaccines.iter().any(|vaccine| vaccine.id == id);
    let is_for_it = agency.vaccines.iter().all(|vaccine| has(&vaccine.id));
    Ok(is_for_it.then(|| Operation::ActivateAgency {
        campaign: campaign.id.clone(),
        source: AGENCY.to_owned(),
        agency: Box::new(agency),
    }))
}

fn operate(core: &mut Core, operation: Operation) -> anyhow::Result<()> {
    let (reply, mut answer) = tokio::sync::oneshot::channel();
    let actor = Actor::operator("demo");
    core.step(&mut VecDeque::from([Command::Operate {
        actor,
        operation,
        reply,
    }]))?;
    match answer.try_recv() {
        Ok(Outcome::Operated(_)) => Ok(()),
        Ok(Outcome::Impossible(why)) => bail!("the demo can't be made: {why}"),
        other => bail!("the demo can't be made: {other:?}"),
    }
}

/// The people to sign in as.
struct People<'a> {
    folder: &'a Folder,
    made: &'a Made,
}

impl People<'_> {
    fn shown(&self) -> Vec<Value> {
        let people = demo::People::new(self.made.seed, self.made.born());
        let shown = (0..SHOWN.min(self.made.people)).map(|at| people.person(at));
        let view = |person: demo::GeneratedPerson| {
            json!({
                "name": person.name,
                "birth_date": person.birth_date.to_string(),
                "code": person.code,
            })
        };
        debug_assert!(self.folder.path().exists());
        shown.map(view).collect()
    }
}

/// An account of a demo, with what signs it in.
#[derive(Serialize, Deserialize)]
struct DemoAccount {
    name: String,
    role: Role,
    password: String,
    /// Base 32.
    totp_secret: String,
}

fn staff_file(folder: &Folder) -> PathBuf {
    folder.path().join("demo-staff.json")
}

/// The accounts that the demo was made with; none in a folder from before there were any.
fn demo_staff(folder: &Folder) -> anyhow::Result<Vec<DemoAccount>> {
    match fs::read_to_string(staff_file(folder)) {
        Ok(text) => Ok(serde_json::from_str(&text)?),
        Err(_) => Ok(Vec::new()),
    }
}

/// Makes an account of each role, ready to be signed in to; the first is there already.
fn make_staff(folder: &Folder, core: &mut Core, keys: &Keys) -> anyhow::Result<()> {
    let entropy = Entropy::system();
    let names = [
        (FIRST_ADMIN, Role::Administrator),
        ("operator", Role::Operator),
        ("operator2", Role::Operator),
        ("approver", Role::Approver),
        ("approver2", Role::Approver),
        ("site", Role::Site),
        ("agent", Role::Agent),
        ("auditor", Role::Auditor),
        ("reporter", Role::Reporter),
    ];
    let (mut accounts, mut changes) = (Vec::new(), Vec::new());
    for (number, (name, role)) in (1..).zip(names) {
        let (id, secret) = (AccountId(number), entropy.bytes());
        let password = generate_password(&entropy);
        let mut bounds = Bounds::default();
        if role == Role::Site {
            let offers = core.shared().offers().clone();
            let sites = offers.iter().flat_map(|offer| &offer.catalog.sites);
            bounds
                .sites
                .extend(sites.map(|site| site.row.site.clone()).take(1));
        }
        changes.push(set(id, name, role, &bounds, true));
        changes.push(staff::ready(keys, &entropy, id, &password, secret)?);
        accounts.push(DemoAccount {
            name: name.to_owned(),
            role,
            password,
            totp_secret: otp::text(&secret),
        });
    }
    core.operate_alone(&Actor::operator("demo"), Operation::Staff { changes })?;
    let text = serde_json::to_string_pretty(&accounts)?;
    write_new(&staff_file(folder), 0o600, text.as_bytes())
}

/// Where the desk is; none while it is closed.
fn desk_url(demo: &Demo, addresses: &Addresses) -> Option<String> {
    let desk = addresses.desk?;
    Some(server::desk_address(desk, demo.plain_http))
}

fn base_url(demo: &Demo, addresses: &Addresses) -> String {
    let scheme = if demo.plain_http { "http" } else { "https" };
    format!("{scheme}://{}", addresses.public)
}

fn ready(
    folder: &Folder,
    demo: &Demo,
    campaign: &Campaign,
    addresses: &Addresses,
    (people, staff): (&[Value], &[DemoAccount]),
) -> Value {
    json!({
        "base_url": base_url(demo, addresses),
        "admin_url": format!("http://{}", addresses.admin),
        "campaign": campaign.id.as_str(),
        "data": folder.path(),
        "people": people,
        "desk_url": desk_url(demo, addresses),
        "staff": staff,
    })
}

fn welcome(
    folder: &Folder,
    demo: &Demo,
    campaign: &Campaign,
    addresses: &Addresses,
    (people, staff): (&[Value], &[DemoAccount]),
) -> String {
    let base = base_url(demo, addresses);
    let path = folder.path().display();
    let trust = if demo.plain_http {
        String::new()
    } else {
        format!(" --cacert {}", folder.certificate().display())
    };
    let text = |person: &Value, field: &str| person[field].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!(
        "Sumun runs at {base}  (campaign {}, data in {path})",
        campaign.id
    )];
    lines.push(format!(
        "Open {base}/ in a browser to book like everybody else."
    ));
    lines.push(format!(
        "Metrics at http://{}/metrics. Stop with Ctrl-C.",
        addresses.admin
    ));
    lines.push(String::new());
    lines.push("Sign in as:".to_owned());
    for person in people {
        let [name, born, code] = ["name", "birth_date", "code"].map(|field| text(person, field));
        lines.push(format!("  {name}  {born}  {code}"));
    }
    if let Some(desk) = desk_url(demo, addresses) {
        lines.push(String::new());
        lines.push(format!(
            "The desk is at {desk}. Its accounts, each with a role of its own:"
        ));
        for account in staff {
            let (name, password) = (&account.name, &account.password);
            lines.push(format!("  {name:14} {password}  {}", account.totp_secret));
        }
        lines.push(
            "The last is the secret of one-time codes: put it into an app, or `sumun staff code \
             SECRET` prints the code of now."
                .to_owned(),
        );
    }
    let wait_s = 120.0 / demo.speed.max(f64::MIN_POSITIVE);
    if demo.at.is_none() && wait_s < 3_600.0 {
        lines.push(String::new());
        lines.push(
            "A new demo's clock starts at 19:58 of 19 July 2021 in Seoul, two minutes".to_owned(),
        );
        lines.push(format!(
            "before the opening at 20:00: {wait_s:.0} s of yours."
        ));
    }
    if let Some(person) = people.first() {
        let [name, born, code] = ["name", "birth_date", "code"].map(|field| text(person, field));
        let me = format!(r#"{{"name":"{name}","birth_date":"{born}","code":"{code}"}}"#);
        let how = CURL
            .replace("@BASE@", &base)
            .replace("@CAMPAIGN@", campaign.id.as_str())
            .replace("@TRUST@", &trust)
            .replace("@ME@", &me);
        lines.push(String::new());
        lines.push(
            "Book with curl: paste this into another terminal (bash); it waits for 20:00"
                .to_owned(),
        );
        lines.push(how.trim_end().to_owned());
    }
    lines.join("\n")
}
