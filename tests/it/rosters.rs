//! Rosters that come while people book: who leaves, who has a new code, and what an import that is
//! killed leaves behind.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use sumun::domain::crockford;
use sumun::journal::store::Store;

use super::world::{OPEN, OVER, Person, World, credentials, person, roster_text, text};

/// The lines of a roster file without those that hold this text.
fn without(roster: &str, code: &str) -> String {
    let kept = roster.lines().filter(|line| !line.contains(code));
    kept.map(|line| format!("{line}\n")).collect()
}

/// The rows of a report, without their texts: line, column, reason.
fn report_rows(path: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut rows = text.lines();
    assert_eq!(rows.next(), Some("line,column,reason,detail"));
    let places = rows.map(|row| row.splitn(4, ',').take(3).collect::<Vec<_>>().join(","));
    places.collect()
}

/// A hundred faults are told; whoever corrects a file of ten thousand wrong rows wants all of them.
#[test]
fn a_report_has_each_fault_of_a_file_and_what_is_to_be_looked_at_when_it_is_imported() {
    let world = World::new(10);
    let out = world.path("report.csv");
    let report = out.display().to_string();
    let wrong = "김영숙,1967-02-30,ABC,,,\n".repeat(300);
    let header = "name,birth_date,code,phone,region,groups\n";
    let wrong = world.write("wrong.csv", &format!("{header}{wrong}"));
    let wrong = wrong.display().to_string();
    let gone = person(OPEN, 3);
    let file = world.write("next.csv", &without(&roster_text(10), &gone.code));
    let file = file.display().to_string();
    let import = ["roster", "import", &file, "--accept-gone", "1"];
    for runs in [false, true] {
        let server = runs.then(|| world.serve());
        let refused = world.run(&["roster", "import", &wrong, "--report", &report]);
        assert_eq!(refused.status.code(), Some(1));
        let said = text(&refused.stdout);
        assert!(said.contains("report.csv, 600 rows"), "{said}");
        let rows = report_rows(&out);
        assert_eq!(rows.len(), 600);
        assert_eq!(rows[599], "301,code,bad_code");

        let over = world.run(&["roster", "import", &file, "--report", &file]);
        assert_eq!(over.status.code(), Some(1));
        assert!(text(&over.stderr).contains("is the file to be imported"));
        if let Some(server) = server {
            let session = server.session(&gone);
            server.client().book(&session, "a", "7").is(201);
            let done = world.ok(&[&import[..], &["--report", &report]].concat());
            assert_eq!(done["report"]["rows"], 1, "{done}");
            assert_eq!(report_rows(&out), [",,gone_with_booking"]);
        }
    }
}

/// A lost row of the vault went unnoticed until somebody needed the telephone number.
#[test]
fn verify_opens_the_rows_of_the_vault_and_names_a_lost_one() {
    const VAULT: redb::TableDefinition<[u8; 20], &[u8]> = redb::TableDefinition::new("vault");
    let world = World::new(5);
    let people = world.ok(&["roster", "stats"])["people"].clone();
    let verified = world.ok(&["verify"]);
    let vault = &verified["vault"];
    assert_eq!((&vault["rows"], &vault["opened"]), (&people, &true.into()));
    let (keys, away) = (world.path("keys.json"), world.path("keys-away.json"));
    std::fs::rename(&keys, &away).unwrap();
    let vault = &world.ok(&["verify"])["vault"];
    assert_eq!((&vault["rows"], &vault["opened"]), (&people, &false.into()));
    std::fs::rename(&away, &keys).unwrap();

    let database = redb::Database::open(world.path("sumun.redb")).unwrap();
    let write = database.begin_write().unwrap();
    let lost = {
        let mut vault = write.open_table(VAULT).unwrap();
        let first = vault.pop_first().unwrap().unwrap();
        first.0.value()
    };
    write.commit().unwrap();
    drop(database);
    let lost = data_encoding::HEXLOWER.encode(&lost[..16]);
    let found = world.run(&["verify"]);
    let says = text(&found.stdout);
    assert_eq!(found.status.code(), Some(1), "{says}");
    assert!(
        says.contains(&format!("FAULT: row of person {lost}")),
        "{says}"
    );
    assert!(
        says.contains("it is missing") && says.contains("restore"),
        "{says}"
    );
    let copy = world.path("copy.redb").display().to_string();
    let copied = world.run(&["backup", &copy]);
    let says = text(&copied.stdout);
    assert_eq!(copied.status.code(), Some(1), "{says}");
    assert!(
        says.contains(&lost) && world.path("copy.redb").exists(),
        "{says}"
    );
}

/// A file that had lost all but one of thirty people came into force without a question, and who
/// was gone could not even look at their booking.
#[test]
fn a_file_that_lost_people_has_to_be_accepted_and_they_keep_what_they_have() {
    let world = World::new(30);
    let server = world.serve();
    let (gone, other) = (person(OPEN, 3), person(OPEN, 4));
    let session = server.session(&gone);
    let booked = server.client().book(&session, "a", "7").is(201);
    let number = booked.json["booking"]["number"]
        .as_str()
        .unwrap()
        .to_owned();
    let roster = without(&without(&roster_text(30), &gone.code), &other.code);
    let file = world.write("fewer.csv", &roster).display().to_string();

    let told = world.run(&["--json", "roster", "import", &file, "--dry-run"]);
    assert_eq!(told.status.code(), Some(1), "as the import itself");
    let dry: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        (&dry["gone"], &dry["gone_with_booking"]),
        (&2.into(), &1.into()),
        "{dry}"
    );
    assert_eq!(dry["gone_booking_numbers"][0], number.as_str());
    assert!(
        dry["would_be_refused"]
            .as_str()
            .unwrap()
            .contains("--accept-gone 2")
    );
    for accepted in [None, Some("--accept-gone=1")] {
        let mut command = vec!["roster", "import", &file];
        command.extend(accepted);
        let refused = world.run(&command);
        let said = text(&refused.stdout) + &text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        for part in [
            "2 of the 45 people",
            "1 bookings",
            "--accept-gone 2",
            "nothing was changed",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    assert_eq!(world.ok(&["roster", "stats"])["version"], 1);
    let done = world.ok(&["roster", "import", &file, "--accept-gone", "2"]);
    assert_eq!(
        (&done["gone"], &done["gone_booking_numbers"][0]),
        (&2.into(), &dry["gone_booking_numbers"][0])
    );

    // Also after a restart, and after another import of the same file.
    assert!(server.stop().success());
    let server = world.serve();
    world.ok(&["roster", "import", &file]);
    let mut client = server.client();
    let stranger = client.post("/gate/enter", None, &credentials(&other));
    stranger.problem(403, "identity_not_found");
    let session = server.session(&gone);
    let mine = client.get("/bookings/mine", Some(&session)).is(200);
    assert_eq!(mine.json["booking"]["number"], number.as_str());
    let slot = server.slot(&session, "B", "2180-08-02", 0);
    let to = serde_json::json!({ "slot": slot });
    client
        .post_once(&format!("/bookings/{number}/move"), &session, "m", &to)
        .is(200);
    let cancel = format!("/bookings/{number}/cancel");
    client
        .post_once(&cancel, &session, "c", &serde_json::Value::Null)
        .is(200);
    // Nothing new for who is not on the roster, and with nothing left nobody is known.
    assert!(client.book(&session, "b", &slot).status >= 400);
    let gone_for_good = client.post("/gate/enter", None, &credentials(&gone));
    gone_for_good.problem(403, "identity_not_found");
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

/// Who had a booking and got a new code saw none, could book again, and nobody could cancel the
/// first.
#[test]
fn a_new_code_keeps_the_place_and_the_booking() {
    let world = World::new(200);
    let server = world.serve();
    let booked = person(OPEN, 3);
    let session = server.session(&booked);
    let made = server.client().book(&session, "a", "7").is(201);
    // The same name, birth date and telephone number; a place without a booking; and one whose
    // telephone number is another as well, so that nobody can tell.
    let (waiting, unclear) = (person(OPEN, 5), person(OPEN, 6));
    let place = server
        .client()
        .post("/gate/enter", None, &credentials(&waiting))
        .is(200);
    let renewed = |person: &Person, at: u64| Person {
        code: crockford::format((1_000_003 + at * 37) / 37 * 37),
        ..person.clone()
    };
    let new = [
        renewed(&booked, 1),
        renewed(&waiting, 2),
        renewed(&unclear, 3),
    ];
    let roster = roster_text(200)
        .replace(&booked.code, &new[0].code)
        .replace(&waiting.code, &new[1].code)
        .replace(
            &format!("{},010-1234-0006", unclear.code),
            &format!("{},010-9999-9999", new[2].code),
        );
    let file = world.write("renewed.csv", &roster).display().to_string();
    let line = roster
        .lines()
        .position(|line| line.contains(&new[2].code))
        .unwrap()
        + 1;
    // Places come into the journal a tenth of a second after they are given.
    std::thread::sleep(Duration::from_secs(1));
    let dry = world.ok(&["roster", "import", &file, "--dry-run"]);
    for told in [dry, world.ok(&["roster", "import", &file])] {
        assert_eq!(
            (&told["new_code"], &told["added"], &told["gone"]),
            (&2.into(), &1.into(), &1.into()),
            "{told}"
        );
        assert_eq!(told["undecided_lines"], serde_json::json!([line]));
    }
    let check = |server: &super::world::Server| {
        let mut client = server.client();
        client
            .post("/gate/enter", None, &credentials(&booked))
            .problem(403, "identity_not_found");
        let session = server.session(&new[0]);
        let mine = client.get("/bookings/mine", Some(&session)).is(200);
        assert_eq!(
            mine.json["booking"]["number"],
            made.json["booking"]["number"]
        );
        client
            .book(&session, "b", "7")
            .problem(409, "already_booked");
        let again = client
            .post("/gate/enter", None, &credentials(&new[1]))
            .is(200);
        assert_eq!(again.json["place"]["number"], place.json["place"]["number"]);
    };
    check(&server);
    assert!(server.stop().success());
    let server = world.serve();
    check(&server);
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

/// A roster of many more people; who is of `over` there was born in the year whose opening is over.
fn large_roster(people: u64, added: u64, over: &[Person]) -> String {
    let mut roster = roster_text(people);
    for person in over {
        let born = format!("{},{}", person.name, person.birth_date);
        let other = born.replace(&OPEN.to_string(), &OVER.to_string());
        roster = roster.replace(&born, &other);
    }
    for at in people..people + added {
        let Person {
            name,
            birth_date,
            code,
        } = person(OPEN, at);
        roster.push_str(&format!(
            "{name},{birth_date},{code},010-2222-2222,11/110,\n"
        ));
    }
    roster
}

#[test]
fn people_book_while_a_roster_comes_and_nobody_sees_a_part_of_it() {
    const PEOPLE: u64 = 2_000;
    const CLIENTS: u64 = 200;
    let world = World::new(PEOPLE);
    let server = world.serve();
    let (one, two) = (person(OPEN, PEOPLE - 1), person(OPEN, PEOPLE - 2));
    let roster = large_roster(PEOPLE, 60_000, &[one.clone(), two.clone()]);
    let file = world.write("large.csv", &roster).display().to_string();
    let (stop, next) = (AtomicBool::new(false), AtomicU64::new(0));
    let (longest_ms, during) = (AtomicU64::new(0), AtomicU64::new(0));
    let importing = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = server.client();
                while !stop.load(Ordering::Acquire) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= PEOPLE - 2 {
                        return;
                    }
                    let session = client.session(&person(OPEN, at));
                    let began = Instant::now();
                    client.book(&session, "k", "7").is(201);
                    let ms = began.elapsed().as_millis() as u64;
                    if importing.load(Ordering::Acquire) {
                        during.fetch_add(1, Ordering::Relaxed);
                        longest_ms.fetch_max(ms, Ordering::Relaxed);
                    }
                    // So that people come for as long as the import takes.
                    std::thread::sleep(Duration::from_millis(300));
                }
            });
        }
        let looker = scope.spawn(|| {
            let (mut before, mut after) = (0, 0);
            while !stop.load(Ordering::Acquire) {
                let open = |person: &Person| {
                    let old = server
                        .client()
                        .post("/gate/enter", None, &credentials(person));
                    old.status == 200
                };
                // The second was looked at later: when the first is on the new roster, it is too.
                let (first, second) = (open(&one), open(&two));
                assert!(first || !second, "a part of the roster was in force");
                (before, after) = (before + u64::from(first), after + u64::from(!second));
                std::thread::sleep(Duration::from_millis(20));
            }
            (before, after)
        });
        importing.store(true, Ordering::Release);
        let done = world.ok(&["roster", "import", &file]);
        importing.store(false, Ordering::Release);
        assert_eq!(
            (&done["added"], &done["changed"]),
            (&60_000.into(), &2.into()),
            "{done}"
        );
        std::thread::sleep(Duration::from_millis(200));
        stop.store(true, Ordering::Release);
        let (before, after) = looker.join().unwrap();
        assert!(
            before > 0 && after > 0,
            "{before} looks before, {after} after"
        );
    });
    let (longest, during) = (longest_ms.into_inner(), during.into_inner());
    println!("{during} bookings during the import, the longest took {longest} ms");
    assert!(during > 0, "nobody booked during the import");
    assert!(
        longest < 5_000,
        "a booking took {longest} ms during the import"
    );
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
fn killed_in_an_import_the_roster_before_stays_and_nothing_is_left_over() {
    let world = World::new(50);
    let roster = large_roster(50, 60_000, &[]);
    let file = world.write("large.csv", &roster).display().to_string();
    let look = |world: &World| {
        let store = Store::look(&world.path("sumun.redb")).unwrap();
        let read = store.read().unwrap();
        (read.roster_version().unwrap(), read.is_unswept().unwrap())
    };
    let mut interrupted = 0;
    for round in 1..=30_u64 {
        let server = world.serve();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
        command.args(["roster", "import", &file, "--data"]);
        command.arg(world.folder.path());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut import = command.spawn().unwrap();
        let mut waited = 0;
        // Later in each round, until an import is done before it is killed.
        while waited < 50 * round && import.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(10));
            waited += 10;
        }
        server.kill();
        import.wait().unwrap();
        let (version, unswept) = look(&world);
        if version > 1 {
            break;
        }
        interrupted += u64::from(unswept);
        assert_eq!(world.ok(&["roster", "stats"])["people"], 65);
    }
    assert!(interrupted > 0, "no import was killed while it stored rows");
    // The next start sweeps by itself, and the next import is as good as the first.
    let server = world.serve();
    let done = world.ok(&["roster", "import", &file]);
    assert_eq!(world.ok(&["roster", "stats"])["people"], 60_065, "{done}");
    let session = server.session(&person(OPEN, 60_049));
    server.client().book(&session, "k", "7").is(201);
    let patience = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let copy = world.path("copy.sumun");
        let _ = std::fs::remove_file(&copy);
        world.ok(&["backup", copy.to_str().unwrap()]);
        let target = tempfile::tempdir().unwrap();
        let mut restore = Command::new(env!("CARGO_BIN_EXE_sumun"));
        restore
            .arg("restore")
            .arg(&copy)
            .arg("--data")
            .arg(target.path());
        assert!(restore.stdout(Stdio::null()).status().unwrap().success());
        let store = Store::look(&target.path().join("sumun.redb")).unwrap();
        if !store.read().unwrap().is_unswept().unwrap() {
            break;
        }
        assert!(patience.elapsed() < Duration::from_secs(60), "never swept");
    }
    assert!(server.stop().success());
    let store = Store::look(&world.path("sumun.redb")).unwrap();
    assert_eq!(store.read().unwrap().stale_chunks(1).unwrap(), []);
    drop(store);
    world.ok(&["verify"]);
}
