//! People and spreadsheets write names, codes, dates and files in many ways: all of them are taken
//! by the running program.

use std::fs;
use std::process::Command;

use encoding_rs::EUC_KR;
use serde_json::{Value, json};

use sumun::domain::crockford;

use super::world::{CAMPAIGN, OPEN, World, person, text};

fn enter(name: &str, birth_date: &str, code: &str) -> Value {
    json!({ "name": name, "birth_date": birth_date, "code": code })
}

/// Full-width digits, code and dashes of other keyboards were refused without help.
#[test]
fn whoever_writes_in_another_way_enters_and_a_typing_error_is_no_guess() {
    let world = World::new(2);
    let one = person(OPEN, 0);
    let rows = format!(
        "이름;생년월일;예약번호;전화번호;지역;대상군\n\
         Anna-Maria O’Brien\u{200b};{};{};+82-10-1234-5678;51/110;\n",
        one.birth_date, one.code
    );
    let file = world.write("semicolons.csv", &rows).display().to_string();
    world.ok(&["roster", "import", &file, "--accept-gone", "100"]);
    let server = world.serve();
    let mut client = server.client();
    let wide = |text: &str| -> String {
        let wide = |c: char| char::from_u32(c as u32 + 0xfee0).unwrap();
        text.chars()
            .map(|c| if c == '-' { '.' } else { wide(c) })
            .collect()
    };
    let (front, back) = one.code.split_at(5);
    let day = one.birth_date.replace('-', "");
    for (name, born, code) in [
        (
            "ANNA MARIA O'BRIEN",
            &*one.birth_date,
            &*one.code.to_lowercase(),
        ),
        ("anna‑maria obrien", &*day, &format!("{front} – {back}")),
        (
            "Ａｎｎａ·Maria O`Brien",
            &wide(&one.birth_date),
            &wide(&one.code),
        ),
    ] {
        client
            .post("/gate/enter", None, &enter(name, born, code))
            .is(200);
    }
    let mut mistyped = one.code.clone().into_bytes();
    mistyped[0] = if mistyped[0] == b'0' { b'1' } else { b'0' };
    let mistyped = String::from_utf8(mistyped).unwrap();
    // More often than wrong codes are forgiven.
    for code in [&*mistyped; 30].into_iter().chain(["ABC", "12345678é0"]) {
        let told = client.post("/gate/enter", None, &enter("Anna", &day, code));
        let told = told.problem(422, "invalid_request");
        assert_eq!(told.json["errors"][0]["field"], "code");
    }
    let told = client.post("/gate/enter", None, &enter("Anna", &day, &mistyped));
    let reason = told.json["errors"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("mistyped"), "{reason}");
    client
        .post("/gate/enter", None, &enter("Anna", &day, &one.code))
        .problem(403, "identity_not_found");
    for (name, born, field) in [
        ("\u{3164}", &*day, "name"),
        ("Anna", "04/03/1967", "birth_date"),
    ] {
        let told = client.post("/gate/enter", None, &enter(name, born, &one.code));
        let told = told.problem(422, "invalid_request");
        assert_eq!(told.json["errors"][0]["field"], field);
    }
}

/// The page answered as for a wrong code, and after ten of them with a wall.
#[test]
fn the_page_tells_a_typing_error_in_both_languages_and_counts_no_guess() {
    let world = World::new(1);
    let server = world.serve();
    let mut client = server.client();
    let one = person(OPEN, 0);
    let mut enter = |language: &str, code: &str| {
        let (name, born) = (percent(&one.name), one.birth_date.replace('-', "."));
        let code = percent(code);
        let body = format!("name={name}&birth_date={born}&code={code}");
        let head = format!(
            "POST /{language}/{CAMPAIGN}/enter HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: \
             same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: \
             {}\r\n\r\n",
            body.len()
        );
        client.send((head + &body).as_bytes()).unwrap()
    };
    let mut mistyped = one.code.clone().into_bytes();
    mistyped.swap(0, 8);
    let mistyped = String::from_utf8(mistyped).unwrap();
    assert!(crockford::parse(&mistyped).is_err());
    for _ in 0..15 {
        for (language, words) in [("en", "typing mistake"), ("ko", "잘못 입력된 글자")] {
            let told = enter(language, &mistyped);
            assert_eq!(told.status, 422);
            let page = String::from_utf8_lossy(&told.body);
            assert!(page.contains(words), "{page}");
        }
    }
    let dashes = format!("{}–{}", &one.code[..4], &one.code[4..]);
    assert_eq!(enter("ko", &dashes).status, 303);
}

/// A text as a form sends it.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A dry run of a roster that comes by standard input.
fn piped(world: &World, file: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sumun"));
    command.args(["roster", "import", "-", "--dry-run", "--json", "--data"]);
    let file = fs::File::open(file).unwrap();
    let done = command.arg(world.path("")).stdin(file).output().unwrap();
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn encodings_and_unknown_groups_are_told_and_taken_beside_a_server_and_without_one() {
    let world = World::new(2);
    let one = person(OPEN, 0);
    let rows = format!(
        "이름,생년월일,예약번호,전화번호,지역,대상군\n김영숙,{},{},,42/110,의료진\n",
        one.birth_date, one.code
    );
    let cp949 = world.path("cp949.csv");
    fs::write(&cp949, EUC_KR.encode(&rows).0).unwrap();
    let utf_16 = world.path("utf16.csv");
    let units = rows.encode_utf16().flat_map(u16::to_le_bytes);
    fs::write(&utf_16, units.collect::<Vec<u8>>()).unwrap();
    let (cp949, utf_16) = (cp949.display().to_string(), utf_16.display().to_string());
    let toml = fs::read_to_string(world.path("campaign.toml")).unwrap();
    let toml = toml.replacen(
        "\n[[cohort]]\n",
        "\n[[cohort]]\ngroups_any = [\"의료진\", \"의사\"]\n",
        1,
    );
    let toml = world.write("groups.toml", &toml).display().to_string();
    for runs in [false, true] {
        let _server = runs.then(|| world.serve());
        let refused = world.run(&["roster", "import", &cp949]);
        assert_eq!(refused.status.code(), Some(1));
        let said = text(&refused.stdout);
        assert!(
            said.contains("--encoding cp949") && said.contains("Excel"),
            "{said}"
        );
        let import = ["roster", "import", &cp949, "--encoding", "cp949"];
        world.ok(&[&import[..], &["--accept-gone", "100"]].concat());
        let again = world.ok(&["roster", "import", &utf_16, "--dry-run"]);
        assert_eq!(again["unchanged"], 1, "{again}");
        let again = piped(&world, &utf_16);
        assert_eq!(again["unchanged"], 1, "{again}");
        let checked = world.ok(&["campaign", "check", &toml]);
        let findings = checked["findings"].to_string();
        assert!(
            findings.contains("의사") && !findings.contains("`의료진`"),
            "{findings}"
        );
    }
}
