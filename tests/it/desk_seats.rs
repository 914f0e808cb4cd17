//! Closing slots, giving people other seats, and what else the desk does to sites and slots.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Answer;
use super::desk::Clerk;
use super::world::{CAMPAIGN, OPEN, Server, World, fresh_key, person, text};

/// Some operators and an approver.
struct Desk {
    kim: Clerk,
    lee: Clerk,
}

impl Desk {
    fn of(world: &World, server: &Server) -> Self {
        Self {
            kim: Clerk::of(world, server, "kim", "operator"),
            lee: Clerk::of(world, server, "lee", "approver"),
        }
    }

    /// Proposes and approves: what came of it.
    fn done(&mut self, asked: &Value, typed: u64) -> Value {
        let number = self.kim.post("/proposals", asked).is(200).json["number"].clone();
        let approve = json!({ "decision": "approve", "typed": typed });
        let path = format!("/proposals/{number}/decision");
        self.lee.post(&path, &approve).is(200).json
    }
}

fn campaign(path: &str) -> String {
    format!("/campaigns/{CAMPAIGN}{path}")
}

/// An instant so many seconds from now.
fn soon(seconds: i64) -> String {
    sumun::clock::wall().plus_s(seconds).instant().to_string()
}

/// Closes what starts at this time of 2 August at site A.
fn closing(time: [&str; 2], plan: &Value) -> Value {
    json!({
        "kind": "close", "campaign": CAMPAIGN, "reason": "the refrigerator", "plan": plan,
        "range": {
            "sites": ["A"], "from": "2180-08-02", "until": "2180-08-02",
            "time_from": time[0], "time_until": time[1],
        },
    })
}

/// Somebody who is booked.
struct Booked {
    session: String,
    number: String,
}

fn book(server: &Server, at: u64, site: &str, date: &str, nth: usize) -> Booked {
    let mut client = server.client();
    let session = client.session(&person(OPEN, at));
    let slot = server.slot(&session, site, date, nth);
    let key = fresh_key();
    let booked = client.post_once("/bookings", &session, &key, &json!({ "slot": slot }));
    let number = booked.is(201).json["booking"]["number"]
        .as_str()
        .unwrap()
        .to_owned();
    Booked { session, number }
}

impl Booked {
    fn look(&self, server: &Server) -> Value {
        let mut client = server.client();
        client
            .get("/bookings/mine", Some(&self.session))
            .is(200)
            .json
    }

    fn doses(&self, server: &Server) -> Vec<(String, String)> {
        let told = self.look(server);
        let doses = told["booking"]["doses"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        doses
            .map(|dose| (text(&dose["site"]), text(&dose["start"])[..16].to_owned()))
            .collect()
    }

    fn post(&self, server: &Server, act: &str, body: &Value) -> Answer {
        let path = format!("/bookings/{}/{act}", self.number);
        let mut client = server.client();
        client.post_once(&path, &self.session, &fresh_key(), body)
    }
}

fn until(mut wanted: impl FnMut() -> bool) {
    let began = Instant::now();
    while !wanted() {
        assert!(began.elapsed() < Duration::from_secs(60), "it did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn people_of_a_closed_slot_are_asked_and_nobody_new_comes_in() {
    let world = World::new(5);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let [answers, silent, chooses] = [0, 1, 3].map(|at| book(&server, at, "A", "2180-08-02", 0));
    let mut deciding = server.client();
    let undecided = deciding.session(&person(OPEN, 2));
    let slot = server.slot(&undecided, "A", "2180-08-02", 0);
    let held = deciding
        .post("/holds", Some(&undecided), &json!({ "slot": slot }))
        .is(201);
    let plan = json!({
        "asking": "offered", "prefer": "same_site", "unanswered": "moved", "until": soon(20),
        "reason": "냉장고가 고장났습니다", "reason_en": "The refrigerator broke",
    });
    let asked = closing(["09:00", "09:30"], &plan);
    let seen = desk.kim.post("/proposals/preview", &asked).is(200).json;
    let moves = &seen["moves"];
    assert_eq!(seen["takes"], 3, "{seen:#}");
    assert_eq!(
        [
            &moves["slots"],
            &moves["holds"],
            &moves["found"],
            &moves["without"]
        ],
        [1, 1, 3, 0]
    );
    // The approver types how many people lose their seat.
    let number = desk.kim.post("/proposals", &asked).is(200).json["number"].clone();
    let path = format!("/proposals/{number}/decision");
    let approve = json!({ "decision": "approve" });
    desk.lee
        .post(&path, &approve)
        .problem(409, "type_the_number");
    // What somebody has not seen they do not approve.
    let other = json!({ "decision": "approve", "typed": 3, "seen": "0123" });
    desk.lee.post(&path, &other).problem(409, "not_possible");
    let whole = desk.lee.get(&format!("/proposals/{number}")).is(200).json;
    assert_eq!(
        whole["proposal"]["about"],
        "A; 2180-08-02 – 2180-08-02; 09:00–09:30"
    );
    // The approver sees what becomes of people, and what they will be told.
    let proposal = &whole["proposal"];
    assert_eq!(proposal["plan"]["asking"], "offered");
    assert_eq!(proposal["plan"]["unanswered"], "moved");
    assert_eq!(proposal["told_en"], "The refrigerator broke");
    let seen = &whole["effect"]["digest"];
    let done = json!({ "decision": "approve", "typed": 3, "seen": seen });
    let done = desk.lee.post(&path, &done).is(200).json;
    assert!(
        done["came_of_it"]
            .as_str()
            .unwrap()
            .contains("3 were offered"),
        "{done:#}"
    );
    // Whoever was deciding has no seat there any more, and nobody finds it.
    let hold = json!({ "hold": held.json["hold"] });
    let late = deciding.post_once("/bookings", &undecided, &fresh_key(), &hold);
    late.problem(404, "hold_expired");
    let straight = deciding.post_once(
        "/bookings",
        &undecided,
        &fresh_key(),
        &json!({ "slot": slot }),
    );
    straight.problem(409, "slot_full");
    // Those who were booked still are, and are told.
    let told = answers.look(&server);
    let acts = &told["by_agency"];
    assert_eq!(
        acts["closed"]["why"]["reason_en"], "The refrigerator broke",
        "{told:#}"
    );
    assert_eq!(
        acts["offer"]["doses"][0]["start"],
        "2180-08-02T09:30:00+09:00"
    );
    assert_eq!(acts["offer"]["moves_unanswered"], true);
    assert_eq!(acts["closed"]["doses"], json!([1]));
    // Looking at another time costs nobody the offer; who chooses that time gives it up.
    let mut beside = [&answers, &silent, &chooses].map(|one| {
        let other = server.slot(&one.session, "B", "2180-08-02", 0);
        let mut client = server.client();
        let held = client.post("/holds", Some(&one.session), &json!({ "slot": other }));
        let held = held.is(201).json["hold"].clone();
        assert_ne!(one.look(&server)["by_agency"]["offer"], Value::Null);
        json!({ "hold": held })
    });
    let chosen = beside[2].take();
    chooses.post(&server, "move", &chosen).is(200);
    assert_eq!(chooses.look(&server)["by_agency"], Value::Null);
    let take = json!({ "hold": acts["offer"]["hold"] });
    answers.post(&server, "move", &take).is(200);
    // What was looked at beside it is free again.
    let late = answers.post(&server, "move", &beside[0]);
    late.problem(404, "hold_expired");
    assert_eq!(
        answers.doses(&server)[1],
        ("A".to_owned(), "2180-08-30T09:30".to_owned())
    );
    assert_eq!(answers.look(&server)["by_agency"], Value::Null);
    // Whoever does not answer is moved at the end, and reads from where.
    until(|| silent.doses(&server)[0].1 == "2180-08-02T09:30");
    let told = silent.look(&server);
    assert_eq!(
        told["by_agency"]["moved"]["from"][0]["start"],
        "2180-08-02T09:00:00+09:00"
    );
    // It is theirs to change, and a change of theirs ends the notice.
    silent.post(&server, "cancel", &json!(null)).is(200);
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
fn one_account_closes_a_slot_and_takes_nothing_from_anybody() {
    let world = World::new(5);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let mut site = Clerk::of(&world, &server, "clerk", "site");
    let booked = book(&server, 0, "A", "2180-08-02", 0);
    let stop = |id: &str| {
        json!({
            "range": { "sites": [id], "from": "2180-08-02", "until": "2180-08-02" },
            "reason": "정전", "reason_en": "A power cut",
        })
    };
    // A site's people close their own site alone.
    let foreign = json!({
        "kind": "close", "campaign": CAMPAIGN, "reason": "x",
        "range": { "from": "2180-08-02", "until": "2180-08-02" },
        "plan": { "asking": "moved", "reason": "x" },
    });
    let later = json!({
        "kind": "retime", "campaign": CAMPAIGN, "reason": "x", "minutes": 5, "told": "x",
        "range": { "from": "2180-08-02", "until": "2180-08-02" },
    });
    for path in ["/proposals/preview", "/proposals"] {
        for foreign in [&foreign, &later] {
            site.post(path, foreign).problem(403, "not_yours");
        }
    }
    site.post(&campaign("/stop"), &stop("B"))
        .problem(403, "not_yours");
    site.post(&campaign("/stop"), &stop("A")).is(200);
    let told = booked.look(&server);
    assert_eq!(told["booking"]["status"], "booked");
    assert_eq!(told["by_agency"]["offer"], Value::Null);
    let day = desk
        .kim
        .get(&campaign("/sites/A?date=2180-08-02"))
        .is(200)
        .json;
    assert_eq!(day["slots"][0]["closed"], "정전");
    assert_eq!(day["slots"][0]["seats"]["booked"]["public"], 1);
    // Seats that nobody can book any more are none that are left.
    let seats = |all: &Value, of: &str| {
        let mut all = all["campaigns"][0]["seats"].as_array().unwrap().iter();
        let is_it = |one: &&Value| one["province"] == "11" && one["vaccine"] == "mrna";
        all.find(is_it).map(|one| one[of].as_u64().unwrap())
    };
    let board = |desk: &mut Desk| desk.kim.get("/board").is(200).json;
    until(|| seats(&board(&mut desk), "capacity") == Some(20_229 - 107));
    assert_eq!(seats(&board(&mut desk), "left"), Some(20_229 - 107 - 1));
    // Whom to call: by number, and with names once it is on record who sees them and why.
    let people = desk
        .kim
        .get(&campaign("/relocations/1/people"))
        .is(200)
        .json;
    assert_eq!(people["people"][0]["number"], json!(booked.number));
    assert_eq!(people["people"][0]["name"], Value::Null);
    let names = campaign("/relocations/1/names");
    desk.kim
        .post(&names, &json!({ "reason": " " }))
        .problem(409, "not_possible");
    let named = desk
        .kim
        .post(&names, &json!({ "reason": "to call them" }))
        .is(200)
        .json;
    assert_eq!(named["people"][0]["name"], "시험0");
    assert!(
        named["people"][0]["phone"]
            .as_str()
            .unwrap()
            .ends_with("12340000"),
        "{named}"
    );
    desk.lee
        .post(&names, &json!({ "reason": "curious" }))
        .problem(403, "not_yours");
    let log = text(&world.run(&["audit", "export"]).stdout);
    let look = log
        .lines()
        .find(|line| line.contains("personal_data_seen"))
        .unwrap();
    assert!(
        look.contains("\"account\":\"kim\"") && look.contains("to call them"),
        "{look}"
    );
    assert!(!log.contains("시험0"));
    // The person chooses other seats although the days for changes may be over.
    let slot = server.slot(&booked.session, "B", "2180-08-02", 0);
    booked
        .post(&server, "move", &json!({ "slot": slot }))
        .is(200);
    // It is open again once two accounts say so.
    let reopen = json!({
        "kind": "reopen", "campaign": CAMPAIGN, "reason": "mended",
        "range": { "sites": ["A"], "from": "2180-08-02", "until": "2180-08-02" },
    });
    assert_eq!(desk.done(&reopen, 0)["state"], "done");
    book(&server, 1, "A", "2180-08-02", 0);
}

#[test]
fn another_interval_moves_second_doses_and_says_for_whom_there_is_no_seat() {
    let world = World::new(5);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let at_b = book(&server, 0, "B", "2180-08-02", 0);
    let at_a = book(&server, 1, "A", "2180-08-02", 0);
    let text = super::world::campaign_text("").replace("interval_days = 28", "interval_days = 31");
    // At the command line nobody sees to the people, so it is refused there.
    let file = world.write("other.toml", &text).display().to_string();
    let refused = world.run(&["campaign", "activate", &file]);
    let told = super::world::text(&refused.stdout) + &super::world::text(&refused.stderr);
    assert!(told.contains("proposed at the desk"), "{told}");
    let asked = json!({ "kind": "campaign", "text": text, "reason": "the committee" });
    let seen = desk.kim.post("/proposals/preview", &asked).is(200).json;
    assert_eq!(
        [&seen["takes"], &seen["moves"]["found"]],
        [2, 2],
        "{seen:#}"
    );
    assert_eq!(seen["moves"]["to_other_sites"], 1);
    let seats = seen["cautions"].to_string();
    assert!(seats.contains("seats that the public can book"), "{seats}");
    let done = desk.done(&asked, 2);
    assert!(
        done["came_of_it"]
            .as_str()
            .unwrap()
            .contains("2 people were moved"),
        "{done:#}"
    );
    // First doses stay; second doses are where there is a slot: at A there is none on that day.
    let first = |site: &str| (site.to_owned(), "2180-08-02T09:00".to_owned());
    let second = ("B".to_owned(), "2180-09-02T09:00".to_owned());
    assert_eq!(at_b.doses(&server), [first("B"), second.clone()]);
    assert_eq!(at_a.doses(&server), [first("A"), second]);
    let told = at_a.look(&server);
    assert_eq!(told["by_agency"]["moved"]["why"]["cause"], "interval");
    // New bookings have the new interval, and doses of two sites are given back at each.
    let new = book(&server, 2, "B", "2180-08-02", 0);
    assert_eq!(new.doses(&server)[1].1, "2180-09-02T09:00");
    at_a.post(&server, "cancel", &json!(null)).is(200);
    let day = desk
        .kim
        .get(&campaign("/sites/B?date=2180-09-02"))
        .is(200)
        .json;
    assert_eq!(day["slots"][0]["seats"]["booked"]["public"], 2);
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
fn more_seats_are_there_at_once_and_fewer_are_proposed() {
    let world = World::new(5);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let booked = book(&server, 0, "A", "2180-08-02", 0);
    let day = desk
        .kim
        .get(&campaign("/sites/A?date=2180-08-02"))
        .is(200)
        .json;
    let slot = day["slots"][0]["slot"].clone();
    let path = campaign(&format!("/slots/{slot}"));
    let seats = |public: u32, walk_in: u32| {
        json!({
            "capacity": { "public": public, "assisted": 5, "walk_in": walk_in },
            "end": "09:40", "reason": "two more nurses",
        })
    };
    let more = desk.kim.post(&path, &seats(101, 3)).is(200).json;
    assert_eq!(more["proposal"], Value::Null, "{more}");
    let day = desk
        .kim
        .get(&campaign("/sites/A?date=2180-08-02"))
        .is(200)
        .json;
    assert_eq!(day["slots"][0]["seats"]["capacity"]["walk_in"], 3);
    assert_eq!(day["slots"][0]["end"], "2180-08-02T09:40:00+09:00");
    let told = booked.look(&server);
    assert_eq!(
        told["booking"]["doses"][0]["end"],
        "2180-08-02T09:40:00+09:00"
    );
    // Under what is booked nothing goes, and it says whose bookings these are.
    let none = desk
        .kim
        .post(&path, &seats(0, 3))
        .problem(422, "faults_found");
    assert!(
        none.json["faults"][0]
            .as_str()
            .unwrap()
            .contains(&booked.number),
        "{none:?}"
    );
    let fewer = desk.kim.post(&path, &seats(1, 3)).is(200).json;
    let number = fewer["proposal"].as_u64().unwrap();
    let seen = desk.lee.get(&format!("/proposals/{number}")).is(200).json;
    let changes = &seen["effect"]["changes"][0];
    assert!(
        changes["old"].as_str().unwrap().starts_with("public 101"),
        "{changes}"
    );
    let approve = json!({ "decision": "approve" });
    desk.lee
        .post(&format!("/proposals/{number}/decision"), &approve)
        .is(200);
    let mut late = server.client();
    let session = late.session(&person(OPEN, 1));
    let key = fresh_key();
    let full = late.post_once(
        "/bookings",
        &session,
        &key,
        &json!({ "slot": slot.to_string() }),
    );
    full.problem(409, "slot_full");
}

#[test]
fn what_is_approved_for_an_instant_is_done_then_or_called_off() {
    let world = World::new(5);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let slower = |rate: u32| super::world::campaign_text("").replace("1000", &rate.to_string());
    let asked = |rate: u32, due: String| {
        json!({
            "kind": "campaign", "text": slower(rate), "reason": "at eight",
            "campaign": CAMPAIGN, "due": due,
        })
    };
    desk.kim
        .post("/proposals", &asked(900, soon(-5)))
        .problem(409, "not_possible");
    let first = desk.done(&asked(900, soon(3)), 0);
    assert_eq!(first["state"], "approved");
    let versions = |world: &World| {
        let listed = world.ok(&["campaign", "list"]);
        listed["campaigns"][0]["versions"].as_array().unwrap().len()
    };
    assert_eq!(versions(&world), 1);
    until(|| versions(&world) == 2);
    until(|| {
        let one = desk
            .kim
            .get(&format!("/proposals/{}", first["number"]))
            .is(200)
            .json;
        one["proposal"]["state"] == "done"
    });
    let second = desk.done(&asked(800, soon(3_600)), 0);
    let path = format!("/proposals/{}/call-off", second["number"]);
    desk.kim
        .post(&path, &json!({ "reason": "not today" }))
        .is(204);
    let told = desk
        .kim
        .get(&format!("/proposals/{}", second["number"]))
        .is(200)
        .json;
    assert_eq!(told["proposal"]["state"], "called_off");
    desk.kim
        .post(&path, &json!({ "reason": "again" }))
        .problem(409, "not_possible");
    // What waits for its instant is not forgotten by a restart.
    // An instant that is over when it is approved is not "at once".
    let late = desk
        .kim
        .post("/proposals", &asked(750, soon(2)))
        .is(200)
        .json;
    std::thread::sleep(Duration::from_millis(2_500));
    let path = format!("/proposals/{}/decision", late["number"]);
    desk.lee
        .post(&path, &json!({ "decision": "approve" }))
        .problem(409, "not_possible");
    let third = desk.done(&asked(700, soon(4)), 0);
    assert_eq!(third["state"], "approved");
    assert!(server.stop().success());
    let server = world.serve();
    until(|| versions(&world) == 3);
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
fn corrected_times_take_their_people_along() {
    let world = World::new(5);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let people = [0, 1].map(|at| book(&server, at, "A", "2180-08-02", 0));
    let asked = |minutes: i16, until: &str| {
        json!({
            "kind": "retime", "campaign": CAMPAIGN, "reason": "the doctor comes later",
            "range": { "sites": ["A"], "from": "2180-08-02", "until": until,
                       "time_from": "09:00", "time_until": "09:30" },
            "minutes": minutes, "told": "진료가 늦게 시작됩니다", "told_en": "The doctor comes later",
        })
    };
    // Where another slot is, on another day, by nothing: each is said, and nothing is proposed.
    for (minutes, why) in [
        (30, "A 2180-08-02 09:30 has a slot already"),
        (-541, "another day"),
        (0, "1 to 1439 later"),
    ] {
        let seen = desk
            .kim
            .post("/proposals/preview", &asked(minutes, "2180-08-02"));
        let faults = seen.is(200).json["faults"].to_string();
        assert!(faults.contains(why), "{faults}");
    }
    let asked = asked(15, "2180-08-30");
    let seen = desk.kim.post("/proposals/preview", &asked).is(200).json;
    assert_eq!(seen["takes"], 2, "{seen:#}");
    assert_eq!(seen["moves"]["found"], 2);
    assert_eq!(seen["changes"][0]["old"], "09:00");
    assert_eq!(seen["changes"][0]["new"], "09:15");
    desk.done(&asked, 2);
    for one in &people {
        let wanted = ["2180-08-02T09:15", "2180-08-30T09:15"]
            .map(|start| ("A".to_owned(), start.to_owned()));
        assert_eq!(one.doses(&server), wanted);
        let told = one.look(&server);
        let moved = &told["by_agency"]["moved"];
        assert_eq!(
            moved["why"]["reason_en"], "The doctor comes later",
            "{told:#}"
        );
        assert_eq!(moved["from"][0]["start"], "2180-08-02T09:00:00+09:00");
    }
    // What was corrected is no closure: its seats are where they were moved to.
    let reopen = json!({
        "kind": "reopen", "campaign": CAMPAIGN, "reason": "by mistake",
        "range": { "sites": ["A"], "from": "2180-08-02", "until": "2180-08-30" },
    });
    let seen = desk.kim.post("/proposals/preview", &reopen).is(200).json;
    let faults = seen["faults"].to_string();
    assert!(faults.contains("corrected to another time"), "{faults}");
    // One day of a pair alone would leave seats that nobody can book.
    let mut one_day = asked.clone();
    one_day["range"]["until"] = json!("2180-08-02");
    one_day["minutes"] = json!(-5);
    let seen = desk.kim.post("/proposals/preview", &one_day).is(200).json;
    assert!(
        seen["cautions"].to_string().contains("both days"),
        "{seen:#}"
    );
    // The correction is taken back, and people with it.
    let mut back = asked.clone();
    back["minutes"] = json!(-15);
    desk.done(&back, 2);
    assert_eq!(people[0].doses(&server)[0].1, "2180-08-02T09:00");
    desk.done(&asked, 2);
    // The corrected slot is booked like any other, the one before takes nobody.
    let new = book(&server, 2, "A", "2180-08-02", 0);
    assert_eq!(new.doses(&server)[0].1, "2180-08-02T09:15");
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

/// The server was killed behind the commit that closed all slots: nothing was made anew, nobody was
/// moved, and nothing went on.
#[test]
fn a_correction_that_a_crash_cuts_short_goes_on() {
    let world = World::new(5);
    let mut server = world.serve();
    // So many that a kill finds it at work.
    let mut rows = "site,vaccine,date,start,end,public,assisted\n".to_owned();
    for (day, hour) in (3..29).flat_map(|day| (8..20).map(move |hour| (day, hour))) {
        for minute in (0..60).step_by(10) {
            let (date, end) = (format!("2180-08-{day:02}"), minute + 9);
            rows += &format!("C,single,{date},{hour:02}:{minute:02},{hour:02}:{end:02},3,0\n");
        }
    }
    let file = world.folder.path().join("slots.csv");
    std::fs::write(&file, rows).unwrap();
    let file = file.to_str().unwrap();
    world.ok(&["slots", "import", file, "--campaign", CAMPAIGN]);
    let booked = book(&server, 0, "C", "2180-08-20", 5);
    assert_eq!(booked.doses(&server)[0].1, "2180-08-20T08:50");
    let asked = json!({
        "kind": "retime", "campaign": CAMPAIGN, "reason": "a clock was wrong",
        "range": { "sites": ["C"], "from": "2180-08-03", "until": "2180-08-28" },
        "minutes": 1, "told": "시계가 틀렸습니다",
    });
    let mut cut_short = 0;
    for (round, after_ms) in [5, 10, 20, 30, 45, 60].into_iter().enumerate() {
        let named = |role: &str| format!("{role}{round}");
        let mut kim = Clerk::of(&world, &server, &named("kim"), "operator");
        let mut lee = Clerk::of(&world, &server, &named("lee"), "approver");
        let number = kim.post("/proposals", &asked).is(200).json["number"].clone();
        let path = format!("/proposals/{number}/decision");
        let approve = json!({ "decision": "approve", "typed": 1 });
        let body = approve.clone();
        let deciding = std::thread::spawn(move || lee.post(&path, &body).status == 200);
        std::thread::sleep(Duration::from_millis(after_ms));
        server.kill();
        // Whoever asks a server that is killed meanwhile gets no answer.
        let is_answered = deciding.join().unwrap_or(false);
        server = world.serve();
        let mut lee = Clerk::of(&world, &server, &format!("lee{round}x"), "approver");
        let path = format!("/proposals/{number}");
        let state = lee.get(&path).is(200).json["proposal"]["state"].clone();
        if state == "open" {
            lee.post(&format!("{path}/decision"), &approve).is(200);
        } else {
            cut_short += usize::from(!is_answered);
        }
        until(|| lee.get(&path).is(200).json["proposal"]["state"] == "done");
        let wanted = format!("2180-08-20T08:{}", 51 + round);
        assert_eq!(booked.doses(&server)[0].1, wanted, "after {after_ms} ms");
        let page = format!("/campaigns/{CAMPAIGN}/sites/C");
        let site = lee.get(&page).is(200).json;
        // 26 days of 72 slots of three, and the 50 of the one that is no part of it.
        assert_eq!(site["site"]["seats"], 26 * 72 * 3 + 50, "{site:#}");
    }
    assert!(cut_short > 0, "no kill came while it was at work");
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
fn a_stock_opens_in_equal_parts() {
    let world = World::new(5);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    book(&server, 0, "B", "2180-08-05", 0);
    let asked = json!({
        "kind": "split", "campaign": CAMPAIGN, "reason": "each evening its share",
        "range": { "sites": ["B"], "from": "2180-08-05", "until": "2180-08-05" },
        "at": [soon(4), soon(8)], "rollover": "next",
    });
    let public = |desk: &mut Desk| {
        let day = desk
            .kim
            .get(&campaign("/sites/B?date=2180-08-05"))
            .is(200)
            .json;
        let capacity = &day["slots"][0]["seats"]["capacity"];
        assert_eq!(
            capacity["public"].as_u64().unwrap() + capacity["later"].as_u64().unwrap(),
            5_000
        );
        capacity["public"].as_u64().unwrap()
    };
    let begun = desk.done(&asked, 0);
    assert_eq!(begun["state"], "approved");
    assert_eq!(public(&mut desk), 1);
    until(|| public(&mut desk) == 2_500);
    until(|| public(&mut desk) == 5_000);
    until(|| {
        let one = desk
            .kim
            .get(&format!("/proposals/{}", begun["number"]))
            .is(200)
            .json;
        one["proposal"]["state"] == "done" && one["proposal"]["steps"] == 2
    });
}

#[test]
fn hours_make_slots_that_are_proposed_like_a_file() {
    let world = World::new(5);
    let server = world.serve();
    let mut desk = Desk::of(&world, &server);
    let asked = json!({
        "range": {
            "sites": ["A", "C"], "from": "2180-10-02", "until": "2180-10-08", "vaccine": "single",
        },
        "weekdays": [1, 2, 3, 4, 5], "except": ["2180-10-03"],
        "spans": [["09:00", "12:00"], ["13:00", "14:30"]], "every_min": 30,
        "capacity": { "public": 10, "walk_in": 2 },
    });
    let made = desk.kim.post(&campaign("/hours"), &asked).is(200).json;
    let text = made["text"].as_str().unwrap();
    // Two sites, four open days, nine starts.
    assert_eq!(text.lines().count(), 1 + 2 * 4 * 9, "{text}");
    let proposal = json!({
        "kind": "slots", "campaign": CAMPAIGN, "text": text, "reason": "October",
    });
    assert_eq!(desk.done(&proposal, 0)["state"], "done");
    let seen = desk.kim.get(&campaign("/sites/C")).is(200).json;
    let days = seen["days"].as_array().unwrap();
    let october = days
        .iter()
        .filter(|day| day["date"].as_str().unwrap().starts_with("2180-10"));
    assert!(
        october
            .clone()
            .all(|day| day["seats"]["capacity"]["walk_in"] == 18)
    );
    assert_eq!(october.count(), 4);
    let wrong = json!({
        "range": { "sites": ["Z"], "from": "2180-10-08", "until": "2180-10-02" },
        "weekdays": [1], "spans": [["12:00", "09:00"]], "every_min": 30,
        "capacity": { "public": 0 },
    });
    let told = desk
        .kim
        .post(&campaign("/hours"), &wrong)
        .problem(422, "faults_found");
    assert!(
        told.json["faults"].as_array().unwrap().len() >= 4,
        "{told:?}"
    );
}

/// A slot that is not to be is a row without seats; an end that is corrected is not dropped.
#[test]
fn files_take_all_seats_from_a_slot_correct_its_end_and_warn() {
    let world = World::new(3);
    let import = |rows: &str| {
        let file = format!("site,vaccine,date,start,end,public,assisted\n{rows}");
        let path = world.write("more.csv", &file).display().to_string();
        world.run(&["slots", "import", &path, "--campaign", CAMPAIGN])
    };
    let told = |rows: &str| {
        let done = import(rows);
        let out = text(&done.stdout) + &text(&done.stderr);
        (done.status.success(), out)
    };
    let (fine, out) = told("C,single,2180-08-02,09:00,09:30,0,0\n");
    assert!(fine && out.contains("1 with another capacity"), "{out}");
    let (fine, out) = told("C,single,2180-08-02,09:00,09:45,0,0\n");
    assert!(fine && out.contains("1 with another end"), "{out}");
    let (fine, out) = told("C,single,2180-08-07,09:00,09:45,0,0\n");
    assert!(!fine && out.contains("is not known"), "{out}");
    let rows = "C,single,2020-08-02,09:00,10:00,1,0\nC,single,2180-08-08,09:00,10:00,1,0\n\
                C,single,2180-08-08,09:30,10:30,1,0\n";
    let (fine, out) = told(rows);
    assert!(
        fine && out.contains("1 have begun already") && out.contains("2 overlap"),
        "{out}"
    );
    // Nobody loses a seat by a file: it names who has it.
    let server = world.serve();
    let booked = book(&server, 0, "A", "2180-08-02", 0);
    let (fine, out) = told("A,mrna,2180-08-02,09:00,09:30,0,0\n");
    assert!(!fine && out.contains(&booked.number), "{out}");
}
