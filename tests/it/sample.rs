//! A data folder of an earlier day, which every later version has to open.
//!
//! `tests/golden/folder` was written by `a_sample_folder_is_written` with SUMUN_WRITE_SAMPLE set to
//! its path: people who booked, moved, cancelled and held, operators' acts, and a server that was
//! killed, so that the newest entries are in the tail alone. Its keys are for this test only. It is
//! never written again for a format that a served folder may have.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::world::{OPEN, Server, World, fresh_key, person};

const FILES: [&str; 3] = ["sumun.redb", "sumun.tail", "keys.json"];

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/folder")
}

#[test]
fn a_folder_of_an_earlier_day_verifies_exports_and_serves() {
    let world = World {
        folder: tempfile::tempdir().unwrap(),
    };
    for name in FILES {
        let packed = File::open(sample().join(format!("{name}.gz"))).unwrap();
        let mut bytes = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
        fs::write(world.path(name), bytes).unwrap();
    }
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(world.path("keys.json"), fs::Permissions::from_mode(0o600)).unwrap();
    let settings = "listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n\
        desk_listen = \"127.0.0.1:0\"\nplain_http = true\n";
    fs::write(world.path("server.toml"), settings).unwrap();
    let told = fs::read_to_string(sample().join("head.json")).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();

    let verified = world.ok(&["verify"]);
    assert_eq!(verified["last"], told["last"]);
    assert_eq!(verified["hash"], told["hash"]);
    let export = world.run(&["audit", "export"]).stdout;
    let lines = export.split(|byte| *byte == b'\n').count() - 1;
    assert_eq!(told["last"], lines);
    // Its years are behind us: the clock has to be accepted.
    let server = Server::start(world.folder.path(), |command| {
        command.arg("--accept-clock");
    });
    let mut client = server.client();
    let session = client.session(&person(OPEN, 0));
    let mine = client.get("/bookings/mine", Some(&session)).is(200);
    assert_eq!(mine.json["booking"], told["booking"]);
    let slot = server.slot(&session, "B", "2180-08-02", 0);
    let again = client.book(&session, "another-key", &slot);
    again.problem(409, "already_booked");
    let other = client.session(&person(OPEN, 9));
    client.book(&other, "one-more-key", &slot).is(201);
    assert!(server.stop().success());
    world.ok(&["verify"]);
}

#[test]
#[ignore = "writes tests/golden/folder anew"]
fn a_sample_folder_is_written() {
    let into = std::env::var_os("SUMUN_WRITE_SAMPLE").map(PathBuf::from);
    let into = into.expect("SUMUN_WRITE_SAMPLE names the folder");
    let world = World::new(10);
    let server = world.serve();
    let mut client = server.client();
    let slot = server.slot(&client.session(&person(OPEN, 0)), "B", "2180-08-02", 0);
    let other = server.slot(&client.session(&person(OPEN, 0)), "A", "2180-08-02", 0);
    world.ok(&["gate", "pause", "--reason", "sample"]);
    world.ok(&["gate", "resume"]);
    for at in 0..6 {
        let session = client.session(&person(OPEN, at));
        let booked = client.book(&session, &fresh_key(), &slot).is(201);
        let number = booked.json["booking"]["number"].as_str().unwrap();
        let of = format!("/bookings/{number}");
        let body = json!({ "slot": other });
        match at {
            1 => drop(
                client
                    .post_once(&format!("{of}/move"), &session, &fresh_key(), &body)
                    .is(200),
            ),
            2 => drop(
                client
                    .post_once(&format!("{of}/cancel"), &session, &fresh_key(), &json!({}))
                    .is(200),
            ),
            _ => {}
        }
    }
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let session = client.session(&person(OPEN, 7));
    client
        .post("/holds", Some(&session), &json!({ "slot": slot }))
        .is(201);
    let session = client.session(&person(OPEN, 8));
    client.book(&session, &fresh_key(), &slot).is(201);
    let session = client.session(&person(OPEN, 0));
    let booking = client.get("/bookings/mine", Some(&session)).is(200).json["booking"].clone();
    server.kill();
    fs::create_dir_all(&into).unwrap();
    for name in FILES {
        let packed = File::create(into.join(format!("{name}.gz"))).unwrap();
        let mut packed = GzEncoder::new(packed, Compression::best());
        packed
            .write_all(&fs::read(world.path(name)).unwrap())
            .unwrap();
        packed.finish().unwrap();
    }
    let verified = world.ok(&["verify"]);
    let told = json!({
        "last": verified["last"], "hash": verified["hash"], "booking": booking,
    });
    fs::write(into.join("head.json"), told.to_string() + "\n").unwrap();
}
