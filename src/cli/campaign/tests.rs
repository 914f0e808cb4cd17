//! The commands on real files in a temporary folder.

use clap::{CommandFactory as _, Parser};
use tempfile::TempDir;

use super::*;

const JULY: &str = include_str!("../../../data/campaign.toml");

#[derive(Parser)]
struct Sumun {
    #[command(subcommand)]
    command: CampaignCommand,
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn run(arguments: &[&str]) -> anyhow::Result<Output> {
    let parsed = Sumun::try_parse_from([&["sumun"], arguments].concat()).unwrap();
    run_pure(&parsed.command).expect("a command that needs only files")
}

fn refusal(arguments: &[&str]) -> String {
    run(arguments).expect_err("a refusal").to_string()
}

#[test]
fn the_arguments_are_sound_and_every_help_has_an_example() {
    Sumun::command().debug_assert();
    for command in Sumun::command().get_subcommands_mut() {
        let help = command.render_long_help().to_string();
        assert!(
            help.contains(&format!("sumun campaign {}", command.get_name())),
            "{help}"
        );
    }
}

#[test]
fn check_names_file_and_line() {
    let folder = Folder::new();
    let sound = run(&["check", &folder.file("july.toml", JULY)]).unwrap();
    assert!(!sound.fault);
    assert_eq!(
        sound.human,
        "ok: kr-2021-50s, 3 cohorts, 5 openings, 1 vaccines"
    );
    assert_eq!(sound.json["ok"], true);
    let file = folder.file("faulty.toml", JULY.replace("hold_s = 300", "hold_s = 0"));
    let faulty = run(&["check", &file]).unwrap();
    assert!(faulty.fault);
    let line = 1 + JULY
        .lines()
        .position(|line| line.starts_with("hold_s"))
        .unwrap();
    assert!(
        faulty.human.starts_with(&format!("{file}:{line}: error: ")),
        "{}",
        faulty.human
    );
    assert_eq!(faulty.json["findings"][0]["line"], line);
    assert_eq!(faulty.json["findings"][0]["severity"], "error");
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let folder = Folder::new();
    let missing = folder.0.path().join("missing.toml");
    assert!(refusal(&["check", missing.to_str().unwrap()]).contains("cannot open"));
    assert!(refusal(&["check", folder.0.path().to_str().unwrap()]).contains("cannot read"));
    let long = folder.file("long.toml", vec![b'#'; (1 << 20) + 1]);
    assert!(refusal(&["check", &long]).contains("over 1 MiB"));
    let full = folder.file("full.toml", vec![b'#'; 1 << 20]);
    assert!(
        run(&["check", &full]).unwrap().fault,
        "read, and found to be no campaign"
    );
    let korean = folder.file("euc-kr.toml", b"# one\nname = \"\xb1\xe8\"\n");
    let refused = refusal(&["check", &korean]);
    assert!(
        refused.contains("not UTF-8: byte 15 on line 2"),
        "{refused}"
    );
}

#[test]
fn explain_answers_the_night_of_20_july() {
    let folder = Folder::new();
    let july = folder.file("july.toml", JULY);
    let ask =
        |born: &str, at: &str| run(&["explain", &july, "--birth-date", born, "--at", at]).unwrap();
    let night = ask("1967-03-04", "2021-07-20T03:00");
    assert_eq!(night.json["answer"], "eligible");
    assert_eq!(night.json["evaluated_at"], "2021-07-20T03:00:00+09:00");
    assert_eq!(night.json["next_change"], "2021-07-20T18:00:00+09:00");
    assert_eq!(night.json["opening"], 3);
    assert_eq!(night.json["cohort"], "born-1967-1968");
    assert_eq!(night.json["opens_at"], Value::Null);
    assert_eq!(ask("1967-03-04", "2021-07-19T18:00:00Z").json, night.json);
    let between = ask("1967-03-04", "2021-07-20T18:00").json;
    assert_eq!(between["answer"], "opening_closed");
    assert_eq!(between["closed_at"], "2021-07-20T18:00:00+09:00");
    assert_eq!(between["opens_at"], "2021-07-21T20:00:00+09:00");
    assert_eq!(between["lobby_opens_at"], "2021-07-21T19:30:00+09:00");
    let group = [
        "--birth-date",
        "1972-01-01",
        "--group",
        "nurse",
        "--at",
        "2021-07-20T03:00",
    ];
    let stranger = run(&[&["explain", &july], &group[..]].concat()).unwrap();
    assert_eq!(stranger.json["answer"], "not_eligible");
    assert_eq!(stranger.json["next_change"], Value::Null);
    assert!(
        stranger.human.contains("no cohort names the group `nurse`"),
        "{}",
        stranger.human
    );
}

#[test]
fn explain_refuses_what_is_no_date_or_instant() {
    let folder = Folder::new();
    let july = folder.file("july.toml", JULY);
    let ask = |born, at| refusal(&["explain", &july, "--birth-date", born, "--at", at]);
    let wrong = [
        "explain",
        &july,
        "--birth-date",
        "1967-02-30",
        "--at",
        "2021-07-20T03:00",
    ];
    let wrong = Sumun::try_parse_from([&["sumun"], &wrong[..]].concat())
        .err()
        .unwrap();
    assert_eq!(wrong.exit_code(), 2);
    let wrong = wrong.to_string();
    assert!(
        wrong.contains("--birth-date") && wrong.contains("`1967-02-30`"),
        "{wrong}"
    );
    for at in [
        "now",
        "2021-07-20",
        "2021-07-20T3:00",
        "9999-12-31T00:00",
        "é".repeat(11).as_str(),
    ] {
        assert!(ask("1967-03-04", at).starts_with("--at: "), "{at}");
    }
    let berlin = JULY.replace("Asia/Seoul", "Europe/Berlin");
    let berlin = folder.file("berlin.toml", berlin);
    let at = ["--birth-date", "1967-03-04", "--at", "2021-03-28T02:30"];
    let refused = refusal(&[&["explain", &berlin], &at[..]].concat());
    assert!(
        refused.contains("01:30:00+01:00") && refused.contains("03:30:00+02:00"),
        "{refused}"
    );
}

#[test]
fn timeline_and_diff_read_well() {
    let folder = Folder::new();
    let july = folder.file("july.toml", JULY);
    let timeline = run(&["timeline", &july]).unwrap();
    assert!(timeline.human.contains(
        "2021-07-21T20:00:00+09:00\n  born-1967-1968: opening_closed -> eligible\n  \
         born-1969-1971: opening_closed -> eligible"
    ));
    assert_eq!(timeline.json["changes"].as_array().unwrap().len(), 12);
    let august = include_str!("../../../data/campaign-august.toml");
    let august = run(&["timeline", &folder.file("august.toml", august)]).unwrap();
    assert!(august.human.starts_with(
        "2021-08-09T20:00:00+09:00\n  born-1972-1985, birth days ending in 9: \
         not_open_yet -> eligible"
    ));

    let later = JULY.replace("2021-07-19T20:00", "2021-07-19T21:00");
    let later = folder.file("later.toml", later);
    let diff = run(&["diff", &july, &later]).unwrap();
    assert_eq!(
        diff.human,
        "~ opening 3.from: 2021-07-19T20:00:00+09:00 -> 2021-07-19T21:00:00+09:00"
    );
    assert_eq!(diff.json["changes"][0]["field"], "opening 3.from");
    assert_eq!(run(&["diff", &july, &july]).unwrap().human, "no difference");
}

#[test]
fn preview_counts_on_all_cores() {
    let july = Campaign::parse(JULY).unwrap().0;
    let later = JULY.replace("2021-07-19T20:00", "2021-07-19T21:00");
    let later = Campaign::parse(&later).unwrap().0;
    let born = ["1967-05-05", "1968-02-29", "1975-01-01"].map(|text| read_date(text).unwrap());
    let people = (0..90_000).map(|at| Subject {
        born: born[at % 3],
        groups: 0,
    });
    let people: Vec<Subject> = people.collect();
    let at = parse_at(&july, "2021-07-19T20:30").unwrap();
    let answer = preview(&later, Some(&july), &people, &[], at);
    assert_eq!(answer.json["people"], 90_000);
    assert_eq!(answer.json["counts"]["not_open_yet"], 60_000);
    assert_eq!(answer.json["counts"]["not_eligible"], 30_000);
    let flips = json!([{ "from": "eligible", "to": "not_open_yet", "people": 60_000 }]);
    assert_eq!(answer.json["flips"], flips);
    assert_eq!(
        preview(&july, None, &people, &[], at).json["flips"],
        Value::Null
    );
}
