//! The unit files and scripts of `systemd/`, as systemd and the shell judge them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::world::text;

/// The exposure that `systemd-analyze security` may find, in tenths: 1.3 was asked for, and the
/// server has nothing that it does not use.
const EXPOSURE_TENTHS_MAX: u32 = 4;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd")
}

/// The units, with the program of this build in place of the installed one.
fn units() -> (tempfile::TempDir, Vec<PathBuf>) {
    let copies = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.extension().and_then(|kind| kind.to_str());
        if matches!(kind, Some("service" | "socket" | "timer")) {
            let unit = fs::read_to_string(&path).unwrap();
            let unit = unit.replace("/usr/local/bin/sumun", env!("CARGO_BIN_EXE_sumun"));
            let copy = copies.path().join(path.file_name().unwrap());
            fs::write(&copy, unit).unwrap();
            units.push(copy);
        }
    }
    units.sort();
    assert!(units.len() >= 9, "{units:?}");
    (copies, units)
}

fn analyze(arguments: &[&str], units: &[PathBuf]) -> (bool, String) {
    let mut command = Command::new("systemd-analyze");
    let output = command.args(arguments).args(units).output();
    let output = output.expect("systemd-analyze is there (package systemd)");
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.success(), said)
}

#[test]
fn systemd_has_nothing_to_say_of_the_units() {
    let (_copies, units) = units();
    assert_eq!(analyze(&["verify"], &units), (true, String::new()));
}

/// The server can bind no address of its own there: what no unit hands over it can't listen on.
#[test]
fn every_listener_that_is_open_unless_settings_close_it_has_a_socket_unit() {
    let (_copies, units) = units();
    let read = |unit: &PathBuf| fs::read_to_string(unit).unwrap();
    let settings = fs::read_to_string(folder().join("../src/server.toml")).unwrap();
    let commented = settings.lines().filter_map(|line| line.strip_prefix("# "));
    let listens = commented.filter_map(|line| line.split_once("listen = \""));
    let opened = listens.filter(|(_, address)| *address != "\"");
    let names = opened.map(|(name, _)| match name.trim_end_matches('_') {
        "" => "public",
        name => name,
    });
    let names: Vec<&str> = names.collect();
    assert!(
        names.contains(&"public") && names.contains(&"desk"),
        "{names:?}"
    );
    let service = read(
        units
            .iter()
            .find(|unit| unit.ends_with("sumun.service"))
            .unwrap(),
    );
    for name in names {
        let named = format!("FileDescriptorName={name}\n");
        let socket = units.iter().find(|unit| read(unit).contains(&named));
        let Some(socket) = socket else {
            assert_eq!(name, "redirect", "no unit hands over `{name}`");
            continue;
        };
        let socket = socket.file_name().unwrap().to_str().unwrap();
        for line in ["Requires=", "After=", "Sockets=", "Also="] {
            let mut lines = service.lines().filter(|known| known.starts_with(line));
            assert!(lines.any(|known| known.contains(socket)), "{line} {socket}");
        }
    }
}

#[test]
fn the_services_have_no_right_that_they_do_not_use() {
    let (_copies, units) = units();
    let is_service = |unit: &&PathBuf| unit.extension().is_some_and(|kind| kind == "service");
    for service in units.iter().filter(is_service) {
        let unit = std::slice::from_ref(service);
        let (_, said) = analyze(&["security", "--offline=true", "--no-pager"], unit);
        let figure = said.split("service: ").nth(1);
        let figure = figure.and_then(|rest| rest.split(' ').next());
        let figure = figure.unwrap_or_else(|| panic!("{said}"));
        let tenths: u32 = figure.replace('.', "").parse().unwrap();
        assert!(tenths <= EXPOSURE_TENTHS_MAX, "{said}");
        let unit = fs::read_to_string(service).unwrap();
        assert!(
            unit.contains("\nCapabilityBoundingSet=\n"),
            "{}",
            service.display()
        );
        assert!(unit.contains("\nLimitCORE=0\n"), "{}", service.display());
    }
}

/// `bash -n` reads a script and runs nothing; shellcheck finds more where it is installed.
#[test]
fn the_scripts_can_be_read_by_a_shell() {
    let scripts = ["release", "deb", "install", "upgrade"].map(|name| folder().join(name));
    let maintainer = ["postinst", "prerm", "postrm"];
    let maintainer = maintainer.map(|name| folder().join("debian").join(name));
    let tests = ["boot", "release"].map(|name| folder().join("../tests").join(name));
    let has_shellcheck = Command::new("shellcheck").arg("--version").output().is_ok();
    for script in scripts.iter().chain(&maintainer).chain(&tests) {
        let mut readers = vec![("bash", "-n")];
        if has_shellcheck {
            readers.push(("shellcheck", "--severity=warning"));
        }
        for (reader, option) in readers {
            let output = Command::new(reader)
                .arg(option)
                .arg(script)
                .output()
                .unwrap();
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(output.status.success(), "{}: {said}", script.display());
        }
    }
}

/// An operator reads them before running them as root.
#[test]
fn install_and_upgrade_can_be_read_in_a_minute_and_check_the_folder_first() {
    for script in ["install", "upgrade"] {
        let source = fs::read_to_string(folder().join(script)).unwrap();
        assert!(source.lines().count() <= 50, "{script}");
        let at = |what: &str| source.find(what).unwrap_or(usize::MAX);
        assert!(at("sha256sum --check") < at("\ninstall "), "{script}");
        assert!(at("sha256sum --check") < at("\ncp "), "{script}");
    }
}
