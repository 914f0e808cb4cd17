//! Personal data: every look is on record before it is answered, what is erased stays erased, and a
//! row exchanged for an older one is found.

use std::fs;

use serde_json::Value;

use super::world::{OPEN, Server, World, fresh_key, person, text};

const PEOPLE: u64 = 20;
const REASON: &str = "a letter of 20 July";

fn book(server: &Server, at: u64) -> String {
    let session = server.session(&person(OPEN, at));
    let slot = server.slot(&session, "A", "2180-08-02", 0);
    let booked = server.client().book(&session, &fresh_key(), &slot).is(201);
    booked.json["booking"]["number"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// What entries of a kind say, oldest first.
fn entries(world: &World, kind: &str) -> Vec<Value> {
    let export = text(&world.run(&["audit", "export"]).stdout);
    let lines = export
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let changes = lines.filter_map(|line| line["change"].get(kind).cloned());
    changes.collect()
}

fn this_month() -> String {
    let now = jiff::Timestamp::now().in_tz("Asia/Seoul").unwrap();
    now.strftime("%Y-%m").to_string()
}

/// What the program writes of a refused look can't be written by whoever looks.
#[test]
fn a_look_can_not_pose_as_one_that_was_refused() {
    let world = World::new(3);
    let code = person(OPEN, 1).code;
    for reason in ["refused: the reason named the person", " Refused: x"] {
        let told = world.run(&["person", "show", "--code", &code, "--reason", reason]);
        let (out, err) = (text(&told.stdout), text(&told.stderr));
        assert!(!told.status.success(), "{out}{err}");
        assert!(!out.contains("시험"), "{out}");
    }
}

#[test]
fn a_look_is_on_record_with_account_reason_and_person_and_a_code_is_in_no_log() {
    let world = World::new(PEOPLE);
    let server = world.serve();
    let number = book(&server, 1);
    let somebody = person(OPEN, 1);
    let by_number = world.ok(&["person", "show", "--number", &number, "--reason", REASON]);
    assert_eq!(by_number["name"], somebody.name.as_str());
    assert_eq!(by_number["birth_date"], somebody.birth_date.as_str());
    assert_eq!(by_number["campaigns"][0]["number"], number.as_str());
    let code = somebody.code.as_str();
    let by_code = world.ok(&["person", "show", "--code", code, "--reason", REASON]);
    assert_eq!(by_code["person"], by_number["person"]);
    // At rest too.
    let log = server.log.clone();
    server.stop();
    world.ok(&["person", "show", "--code", code, "--reason", "=1+1"]);
    let looks = entries(&world, "personal_data_seen");
    assert_eq!(looks.len(), 3, "{looks:?}");
    for look in &looks {
        assert_eq!(look["people"][0], by_number["person"], "{look}");
        assert_eq!(
            (&look["purpose"], &look["origin"]),
            (&"shown".into(), &"console".into())
        );
    }
    assert_eq!(looks[0]["reason"], REASON);
    let log = log.lock().unwrap().join("\n");
    assert!(
        log.contains("an operator's request") && !log.contains(code),
        "{log}"
    );
    assert!(!log.contains(&somebody.name), "{log}");
    let csv = world.path("looks.csv");
    let csv = csv.to_str().unwrap();
    let page = world.path("looks.html");
    let page = page.to_str().unwrap();
    let month = this_month();
    let access = ["audit", "access", "--month", &month];
    let review = world.ok(&[&access[..], &["--csv", csv, "--page", page]].concat());
    assert_eq!(review["review"]["looks"], 3, "{review}");
    assert_eq!(review["review"]["people"], 1);
    assert_eq!(review["review"]["most_looked_at"][0][1], 3);
    let head = world.ok(&["audit", "head"]);
    let record = &review["review"]["record"];
    assert_eq!(record["head"]["hash"], head["hash"], "{record}");
    assert_eq!(record["last_entry"], record["newest_entry"]);
    let sheet = fs::read_to_string(page).unwrap();
    assert!(sheet.contains(head["hash"].as_str().unwrap()), "{sheet}");
    assert!(
        sheet.contains(REASON) && !sheet.contains(&somebody.name),
        "{sheet}"
    );
    // A sheet that somebody may have signed is not written over.
    let again = world.run(&[&access[..], &["--page", page]].concat());
    assert!(text(&again.stderr).contains("exists already"), "{again:?}");
    let rows = fs::read_to_string(csv).unwrap();
    assert!(
        rows.contains("'=1+1") && rows.lines().count() == 4,
        "{rows}"
    );
    assert_eq!(
        world.ok(&["audit", "access", "--month", "2020-01"])["review"]["looks"],
        0
    );
    // A review is on record, of a month that is over, and is no look.
    let findings = ["--findings", "nothing unusual"];
    let early = world.run(&[&["audit", "reviewed", "--month", &month], &findings[..]].concat());
    let said = text(&early.stderr) + &text(&early.stdout);
    assert!(
        !early.status.success() && said.contains("is not over"),
        "{said}"
    );
    world.ok(&[&["audit", "reviewed", "--month", "2020-01"], &findings[..]].concat());
    let done = entries(&world, "personal_data_seen").pop().unwrap();
    assert_eq!(done["purpose"], "reviewed", "{done}");
    assert_eq!(
        done["reason"],
        "2020-01 Asia/Seoul, no entries: nothing unusual"
    );
    let review = world.ok(&access);
    assert_eq!(review["review"]["looks"], 3, "{review}");
    assert_eq!(review["review"]["reviews"][0]["reason"], done["reason"]);
    // Nobody can be searched for, and nothing is shown without a reason.
    for arguments in [
        &["person", "show", "--number", &number, "--reason", " "][..],
        &[
            "person",
            "show",
            "--number",
            "0000-0000-00",
            "--reason",
            REASON,
        ],
        &["person", "show", "--code", "0000000000", "--reason", REASON],
    ] {
        let refused = world.run(arguments);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
    }
    assert_eq!(entries(&world, "personal_data_seen").len(), 4);
}

/// A refusal that says that somebody has a booking, or that a name which was guessed is theirs, is
/// a look: it was told without one.
#[test]
fn what_a_refusal_or_a_dry_run_tells_of_a_person_is_on_record() {
    let world = World::new(PEOPLE);
    let server = world.serve();
    let number = book(&server, 1);
    let looks = || entries(&world, "personal_data_seen");
    let refused = |arguments: &[&str], says: &str| {
        let refused = world.run(arguments);
        let said = text(&refused.stdout) + &text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains(says), "{said}");
    };
    let somebody = person(OPEN, 1);
    let erase = ["person", "erase", "--number", &number, "--reason"];
    refused(&[&erase[..], &[REASON]].concat(), "still to come");
    let look = looks().pop().unwrap();
    assert_eq!((looks().len(), &look["purpose"]), (1, &"shown".into()));
    let reason = look["reason"].as_str().unwrap();
    assert!(
        reason.contains("refused") && reason.contains(REASON),
        "{look}"
    );
    for act in ["show", "erase"] {
        let named = format!("asked by {}", somebody.name);
        let guess = ["person", act, "--number", &number, "--reason", &named];
        refused(&guess, "name");
    }
    assert_eq!(looks().len(), 3);
    let look = looks().pop().unwrap();
    assert!(!look.to_string().contains(&somebody.name), "{look}");
    let of = look["people"][0].clone();
    // A file with one person, whose name is a guess.
    let all = fs::read_to_string(world.path("people.csv")).unwrap();
    let rows = all.lines();
    let rows = rows.filter(|row| row.starts_with("name") || row.contains(&somebody.code));
    let guess = rows.collect::<Vec<_>>().join("\n");
    assert_eq!(guess.lines().count(), 2, "{guess}");
    let guess = world.write("guess.csv", &guess);
    let guess = ["roster", "import", guess.to_str().unwrap(), "--dry-run"];
    world.run(&guess);
    let look = looks().pop().unwrap();
    assert_eq!(
        (looks().len(), &look["purpose"]),
        (4, &"compared".into()),
        "{look}"
    );
    assert_eq!(look["people"], Value::Array(vec![of]), "{look}");
    // At rest too.
    server.stop();
    world.run(&guess);
    assert_eq!(looks().len(), 5);
    let review = world.ok(&["audit", "access", "--month", &this_month()]);
    let asked = &review["review"]["to_ask"];
    let is_trial = |look: &Value| look["purpose"] == "compared";
    let trial = asked.as_array().unwrap().iter().find(|look| is_trial(look));
    let why = trial.unwrap()["asked"].as_array().unwrap();
    assert!(why.contains(&"few_compared".into()), "{asked}");
}

#[test]
fn what_is_erased_is_gone_from_the_file_from_restored_copies_and_by_digest() {
    let world = World::new(PEOPLE);
    let copy = world.path("before.sumun");
    world.ok(&["backup", copy.to_str().unwrap()]);
    let server = world.serve();
    let number = book(&server, 1);
    let refused = world.run(&["person", "erase", "--number", &number, "--reason", REASON]);
    let said = text(&refused.stdout) + &text(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("still to come"),
        "{said}"
    );
    let code = person(OPEN, 2).code;
    let follow = tempfile::tempdir().unwrap();
    let into = follow.path().to_str().unwrap();
    world.ok(&["backup", "follow", into, "--once"]);
    // The full copy has an older row of everybody than the one that is erased.
    world.ok(&["keys", "rotate", "--personal"]);
    world.ok(&["backup", "follow", into, "--once"]);
    for names in [
        person(OPEN, 2).name,
        "tel 010-1234-0002".to_owned(),
        code.clone(),
    ] {
        let reason = format!("asked by {names}");
        let refused = world.run(&["person", "erase", "--code", &code, "--reason", &reason]);
        assert_eq!(refused.status.code(), Some(1), "{reason}");
    }
    assert_eq!(
        world.ok(&["person", "erase", "--code", &code, "--reason", REASON])["erased"],
        true
    );
    let credentials = super::world::credentials(&person(OPEN, 2));
    let enter = || server.client().post("/gate/enter", None, &credentials);
    enter().problem(403, "identity_not_found");
    let seen = world.ok(&["person", "show", "--code", &code, "--reason", REASON]);
    assert_eq!(
        (&seen["name"], &seen["is_unopened"]),
        (&Value::Null, &false.into()),
        "{seen}"
    );
    assert_eq!(
        world.ok(&["person", "erase", "--code", &code, "--reason", REASON])["erased"],
        false
    );
    assert_eq!(entries(&world, "person_erased").len(), 1);
    world.ok(&["backup", "follow", into, "--once"]);
    // With other keys they are erased still.
    world.ok(&["keys", "rotate", "--personal"]);
    world.ok(&["backup", "follow", into, "--once"]);
    enter().problem(403, "identity_not_found");
    server.stop();
    world.ok(&["person", "show", "--number", &number, "--reason", REASON]);
    let verified = world.ok(&["verify"]);
    assert_eq!(verified["vault"]["digest"], "fits", "{verified}");
    // The copies were begun before it was erased.
    let back = tempfile::tempdir().unwrap();
    fs::copy(world.path("keys.json"), back.path().join("keys.json")).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sumun"));
    command
        .args(["restore", "--json", into, "--data"])
        .arg(back.path());
    let restored = command.output().unwrap();
    assert!(restored.status.success(), "{}", text(&restored.stdout));
    let told: Value = serde_json::from_slice(&restored.stdout).unwrap();
    assert_ne!(told["vault"]["digest"], "differs", "{told}");
    assert_eq!(told["vault"]["rows"], verified["vault"]["rows"]);
    // A roster that has the person would bring the name again: it wants consent.
    let people = world.path("people.csv");
    let import = ["roster", "import", people.to_str().unwrap()];
    for accepted in [&[][..], &["--accept-erased", "0"]] {
        let refused = world.run(&[&import[..], accepted].concat());
        let said = text(&refused.stdout) + &text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("--accept-erased 1"), "{said}");
    }
    let seen = world.ok(&["person", "show", "--code", &code, "--reason", REASON]);
    assert_eq!(seen["name"], Value::Null, "{seen}");
    let brought = world.ok(&[&import[..], &["--accept-erased", "1"]].concat());
    assert_eq!(brought["erased_back"], 1, "{brought}");
    // Whose name came back is on record, by pseudonym.
    let lines = text(&world.run(&["audit", "export"]).stdout);
    let again = lines.lines().find(|line| line.contains("stored_again"));
    let again: Value = serde_json::from_str(again.expect("an entry says so")).unwrap();
    let people = &again["change"]["personal_data_seen"]["people"];
    assert_eq!(people.as_array().map(Vec::len), Some(1), "{again}");
    // Once it is there again, nobody is asked again.
    world.ok(&import);
    let verified = world.ok(&["verify"]);
    assert_eq!(verified["vault"]["digest"], "fits", "{verified}");
}

/// A vault row exchanged for one of the same person that was in force before opens as well as the
/// right one does: only a digest tells.
#[test]
fn a_row_exchanged_for_an_older_one_is_found() {
    let world = World::new(PEOPLE);
    let older = tempfile::tempdir().unwrap();
    let older = older.path().join("older.redb");
    fs::copy(world.path("sumun.redb"), &older).unwrap();
    world.ok(&["keys", "rotate", "--personal"]);
    assert_eq!(world.ok(&["verify"])["vault"]["digest"], "fits");
    exchange_a_row(&older, &world.path("sumun.redb"));
    let output = world.run(&["verify", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told["vault"]["digest"], "differs", "{told}");
    assert_eq!(told["vault"]["faults_total"], 0, "every row opens: {told}");
    assert!(
        told["fault"].as_str().unwrap().contains("older one"),
        "{told}"
    );
}

/// Puts what was sealed for the first person of one file in the place of that of the other.
fn exchange_a_row(from: &std::path::Path, to: &std::path::Path) {
    use redb::ReadableTable as _;
    const VAULT: redb::TableDefinition<[u8; 20], &[u8]> = redb::TableDefinition::new("vault");
    let older = redb::Database::open(from).unwrap();
    let read = redb::ReadableDatabase::begin_read(&older).unwrap();
    let table = read.open_table(VAULT).unwrap();
    let (key, row) = table.first().unwrap().unwrap();
    let (key, row) = (key.value(), row.value().to_vec());
    let newer = redb::Database::open(to).unwrap();
    let mut write = newer.begin_write().unwrap();
    write.set_quick_repair(true);
    {
        let mut table = write.open_table(VAULT).unwrap();
        let mut of_person = [0; 20];
        of_person[..16].copy_from_slice(&key[..16]);
        let found = table.range(of_person..).unwrap().next().unwrap().unwrap();
        let in_force = found.0.value();
        drop(found);
        assert_eq!(in_force[..16], key[..16]);
        table.insert(in_force, row.as_slice()).unwrap();
    }
    write.commit().unwrap();
}

#[test]
fn names_go_when_every_campaign_says_that_they_are_due() {
    let world = World::with_slots(PEOPLE, super::world::PAST_SLOTS);
    let server = world.serve();
    let text_of = super::world::campaign_text("");
    let kept = text_of.replace("hold_s = 300", "hold_s = 300\npersonal_data_days = 30000");
    let file = world.write("kept.toml", &kept);
    world.ok(&["campaign", "activate", file.to_str().unwrap()]);
    assert!(entries(&world, "vault_emptied").is_empty());
    let due = text_of.replace("hold_s = 300", "hold_s = 300\npersonal_data_days = 1");
    let file = world.write("due.toml", &due);
    world.ok(&["campaign", "activate", file.to_str().unwrap()]);
    // It is looked for at a start, and once a minute.
    server.stop();
    let server = world.serve();
    let began = std::time::Instant::now();
    while entries(&world, "vault_emptied").is_empty() {
        assert!(began.elapsed().as_secs() < 30, "not emptied");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    server.stop();
    let verified = world.ok(&["verify"]);
    assert_eq!(verified["vault"]["rows"], 0, "{verified}");
    let code = person(OPEN, 3).code;
    let seen = world.ok(&["person", "show", "--code", &code, "--reason", REASON]);
    assert_eq!(
        (&seen["name"], &seen["on_roster"]),
        (&Value::Null, &true.into()),
        "{seen}"
    );
}
