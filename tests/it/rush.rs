//! `sumun rush` against the demo: a small evening goes well, and a killed server costs nobody
//! their place or booking.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::world::text;

/// The opening has begun in the second world, so that no test waits for it.
const OPENED: &str = "2021-07-19T20:00:00+09:00";
const JUST_BEFORE: &str = "2021-07-19T19:59:57+09:00";

/// A demo that runs. Ended when dropped, by its own process id.
struct Demo {
    child: Child,
    url: String,
}

impl Demo {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
        command.args(["demo", "--json", "--data"]).arg(folder);
        command.args(arguments);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let url = ready["base_url"].as_str().unwrap().to_owned();
        Self { child, url }
    }

    fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// kill -9.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn rush(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
    command.args(["rush", "--json", "--data"]).arg(folder);
    command.args(arguments).stdin(Stdio::null());
    command
}

fn summary(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}{}", text(&output.stdout), text(&output.stderr)))
}

fn bookings(folder: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
    command.args(["campaign", "list", "--json", "--data"]);
    let output = command.arg(folder).output().unwrap();
    summary(&output)["campaigns"][0]["bookings"].clone()
}

/// Everybody comes to one end, and the server has as many bookings as people were told of.
fn check_totals(summary: &Value, folder: &Path, people: u64) {
    let count = |name: &str| summary[name].as_u64().unwrap_or_else(|| panic!("{name}"));
    assert_eq!(summary["faults"], serde_json::json!({}), "{summary:#}");
    assert_eq!((count("people"), count("arrived")), (people, people));
    assert_eq!(count("still_going"), 0, "{summary:#}");
    let ends = count("booked") + count("gave_up") + count("found_nothing") + count("turned_away");
    assert_eq!(ends, people, "{summary:#}");
    assert!(count("booked") > people / 2, "{summary:#}");
    assert_eq!(count("checked"), count("to_check"), "{summary:#}");
    assert_eq!(bookings(folder), count("booked") - count("cancelled"));
}

#[test]
fn a_small_evening_goes_well_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let demo = Demo::start(
        folder,
        &[
            "--people",
            "2000",
            "--listen",
            "127.0.0.1:0",
            "--at",
            JUST_BEFORE,
        ],
    );
    assert!(demo.url.starts_with("https://"));
    let report = folder.join("report.html");
    let arguments = [
        "--think",
        "0.3",
        "--decay",
        "3",
        "--arrive-for",
        "8",
        "--bots",
        "0.03",
        "--tabs",
        "0.3",
        "--moves",
        "0.2",
        "--cancel",
        "0.2",
        "--cut",
        "0.02",
        "--connections",
        "200",
        "--report",
        report.to_str().unwrap(),
    ];
    let output = rush(folder, &arguments).output().unwrap();
    let summary = summary(&output);
    assert!(output.status.success(), "{summary:#}");
    check_totals(&summary, folder, 2_000);
    for what in ["moved", "cancelled", "second_tabs"] {
        assert!(summary[what].as_u64() > Some(50), "{what}: {summary:#}");
    }
    assert!(summary["requests"]["cut"].as_u64() > Some(50));
    assert!(
        summary["refused"]["not_admitted"]["admit"].as_u64() > Some(0),
        "bots knock"
    );
    let page = std::fs::read_to_string(&report).unwrap();
    for chart in [
        "Arrivals",
        "The line",
        "Admissions",
        "Bookings",
        "Answer times, p99",
        "Refusals by code",
    ] {
        assert!(page.contains(&format!("<b>{chart}</b>")), "{chart}");
    }
    // The address of the server is text; nothing is loaded from anywhere.
    for loads in ["src=", "href=", "@import", "url(", "<script"] {
        assert!(!page.contains(loads), "{loads}");
    }
}

#[test]
fn a_server_killed_in_the_middle_costs_nobody_a_place_or_a_booking() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let demo = Demo::start(
        folder,
        &[
            "--plain-http",
            "--people",
            "1500",
            "--listen",
            "127.0.0.1:0",
            "--at",
            OPENED,
        ],
    );
    let address = demo.address().to_owned();
    let arguments = [
        "--think",
        "0.3",
        "--decay",
        "4",
        "--arrive-for",
        "8",
        "--cancel",
        "0.1",
        "--moves",
        "0.1",
        "--connections",
        "200",
    ];
    let mut command = rush(folder, &arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = command.spawn().unwrap();
    // The rush looks around for half a second, and the first people are served.
    std::thread::sleep(Duration::from_millis(4_500));
    demo.kill();
    let demo = Demo::start(folder, &["--plain-http", "--listen", &address]);
    let output = running.wait_with_output().unwrap();
    let summary = summary(&output);
    assert!(output.status.success(), "{summary:#}");
    let lost = |why: &str| summary["requests"][why].as_u64().unwrap();
    assert!(
        lost("closed") + lost("unreachable") > 0,
        "killed before it: {summary:#}"
    );
    check_totals(&summary, folder, 1_500);
    drop(demo);
}

#[test]
fn says_what_to_do_when_it_can_not_begin() {
    let folder = tempfile::tempdir().unwrap();
    let said = |arguments: &[&str]| {
        let output = rush(folder.path(), arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        text(&output.stderr)
    };
    assert!(said(&[]).contains("--data"));
    assert!(said(&["http://127.0.0.1:9"]).contains("sumun demo"));
    assert!(said(&["http://192.0.2.1:80"]).contains("--this-host-is-mine"));
    assert!(said(&["https://127.0.0.1:9"]).contains("--ca"));
    let at = [
        "--people",
        "1000",
        "--plain-http",
        "--listen",
        "127.0.0.1:0",
        "--at",
    ];
    let early = [&at[..], &["2021-07-19T12:00:00+09:00"]].concat();
    let demo = Demo::start(folder.path(), &early);
    assert!(said(&[]).contains("--at"), "the opening is far away");
    assert!(said(&["--campaign", "nothing"]).contains("no campaign"));
    assert!(said(&["--people", "/nowhere.csv"]).contains("--people"));
    assert!(said(&["sweep"]).contains("sumun rush sweep --data"));
    for measures in ["sweep", "certify"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
        command
            .args(["rush", measures, "--data"])
            .arg(folder.path());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{measures}");
        assert!(
            text(&output.stderr).contains("one that has begun"),
            "{measures}"
        );
    }
    drop(demo);
}

/// Two ages have an evening each, twelve hours apart, and then one together.
const OPENINGS: &str = r#"
[[opening]]
cohorts = ["born-1967-1968"]
from = "2021-07-19T20:00"
until = "2021-07-19T20:30"
[[opening]]
cohorts = ["born-1969-1971"]
from = "2021-07-20T08:00"
until = "2021-07-20T08:30"
[[opening]]
cohorts = ["born-1967-1968", "born-1969-1971"]
from = "2021-07-20T20:00"
until = "2021-07-20T20:30"
"#;

/// The example's campaign with these openings, and few people let in a second.
fn campaign_of_evenings(file: &Path) {
    let example = include_str!("../../data/campaign.toml");
    let (before, rest) = example.split_once("# When.").unwrap();
    let (_, after) = rest.split_once("[[vaccine]]").unwrap();
    let text = format!("{before}{OPENINGS}[[vaccine]]{after}");
    let text = text.replace("admit_per_s = 280", "admit_per_s = 4");
    std::fs::write(file, text).unwrap();
}

/// Nobody is ahead for having come before: each line is a new one, for everybody.
#[test]
fn evenings_in_a_row_each_begin_at_number_one_and_put_nobody_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("campaign.toml");
    campaign_of_evenings(&file);
    let data = folder.path().join("data");
    let (report, figures) = (folder.path().join("e.html"), folder.path().join("e.json"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
    command.args(["rush", "evenings", "--json", "--plain-http"]);
    let how = "--people 300 --speed 10 --ahead 20 --for 6 --decay 5 --arrive-for 15 --think 0.8 \
               --give-up 0.4 --cancel 0.1 --connections 100";
    command.args(how.split_whitespace());
    command
        .arg("--campaign")
        .arg(&file)
        .arg("--data")
        .arg(&data);
    command
        .arg("--report")
        .arg(&report)
        .arg("--json-report")
        .arg(&figures);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let told = summary(&output);
    assert!(output.status.success(), "{told:#}{}", text(&output.stderr));
    assert_eq!(told["fault_count"], 0);
    let evenings = told["evenings"].as_array().unwrap();
    assert_eq!(evenings.len(), 3);
    let mut booked = 0;
    for evening in evenings {
        let line = &evening["line"];
        let count = |name: &str| {
            line[name]
                .as_u64()
                .unwrap_or_else(|| panic!("{name}: {line}"))
        };
        assert_eq!(count("lowest_number"), 1, "{line}");
        let came = count("came_new") + count("came_again");
        assert!(
            count("highest_number") <= came && count("numbers_shown") > 20,
            "{line}"
        );
        assert_eq!(
            (count("ahead_of_new"), count("overtaken")),
            (0, 0),
            "{line}"
        );
        let summary = &evening["summary"];
        assert_eq!(summary["checked"], summary["to_check"], "{summary:#}");
        booked += count("booked_new") + count("booked_again");
    }
    let count = |evening: usize, name: &str| evenings[evening]["line"][name].as_u64();
    assert_eq!(
        (count(0, "came_again"), count(1, "came_again")),
        (Some(0), Some(0))
    );
    // On the third evening both kinds come. Of those again, most still have the token of a line
    // that has ended.
    assert!(
        count(2, "came_again") > Some(20) && count(2, "came_new") > Some(20),
        "{told:#}"
    );
    let ended = &evenings[2]["summary"]["refused"]["place_ended"];
    assert!(ended["room"].as_u64() > Some(5), "{told:#}");
    let cancelled = |evening: &Value| evening["summary"]["cancelled"].as_u64().unwrap();
    assert!(cancelled(&evenings[0]) > 0, "{told:#}");
    assert_eq!(bookings(&data), booked);
    let page = std::fs::read_to_string(&report).unwrap();
    for opening in ["2021-07-19 20:00", "2021-07-20 08:00", "2021-07-20 20:00"] {
        assert!(
            page.contains(&format!("<h1>The opening at {opening}")),
            "{opening}"
        );
    }
    let figures: Value = serde_json::from_slice(&std::fs::read(&figures).unwrap()).unwrap();
    assert!(
        figures["evenings"][2]["seconds"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    );
}
