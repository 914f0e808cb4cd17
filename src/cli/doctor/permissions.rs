//! Who can read and write what lies in the data folder.
//!
//! Secrets are for their owner alone. Everything else may be read by the group; nothing may be
//! written by anybody but the owner. Others should not get into the folder; where they do, they may
//! not read the data file. All of it belongs to one account, that
//! of the folder: a command that root ran can leave files that the server can't read.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Finding, bad, fine, warn};
use crate::ops::folder::Folder;

const GROUP_AND_OTHERS: u32 = 0o077;
const WRITTEN_BY_OTHERS: u32 = 0o022;
const OTHERS: u32 = 0o007;
/// So many are named; the rest is counted.
const NAMED_MAX: usize = 5;

pub fn of(folder: &Folder) -> Finding {
    const WHAT: &str = "permissions";
    let about = match fs::metadata(folder.path()) {
        Ok(about) => about,
        Err(error) => return bad(WHAT, format!("{}: {error}", folder.path().display())),
    };
    let owner = about.uid();
    // Who can't enter the folder reads nothing in it.
    let is_open = about.mode() & OTHERS != 0;
    let (mut faults, mut looks, mut count) = (Vec::new(), Vec::new(), 0);
    let folder_run = format!("chmod 750 {}", folder.path().display());
    if about.mode() & WRITTEN_BY_OTHERS != 0 {
        faults.push(folder_run);
    } else if is_open {
        looks.push(folder_run);
    }
    for path in files(folder.path()) {
        let Ok(about) = fs::symlink_metadata(&path) else {
            continue;
        };
        count += 1;
        let shown = path.display();
        if about.uid() != owner {
            faults.push(format!("chown {owner} {shown}"));
        }
        if !about.is_file() && !about.is_dir() {
            // Who connects to a socket is asked for when they do; a link has no mode of its own.
            continue;
        }
        let run = format!("chmod {} {shown}", wanted(&path, about.is_dir()));
        let is_fault = if is_secret(&path) {
            about.mode() & GROUP_AND_OTHERS != 0
        } else {
            let is_read = is_open && is_data(&path) && about.mode() & OTHERS != 0;
            about.mode() & WRITTEN_BY_OTHERS != 0 || is_read
        };
        if is_fault {
            faults.push(run);
        } else if is_open && about.mode() & OTHERS != 0 {
            looks.push(run);
        }
    }
    if !faults.is_empty() {
        faults.append(&mut looks);
        bad(WHAT, told(faults))
    } else if !looks.is_empty() {
        warn(WHAT, told(looks))
    } else {
        fine(
            WHAT,
            format!("{count} files: secrets are for their owner alone"),
        )
    }
}

/// What to run: the first few of it, and how many more there are.
fn told(mut run: Vec<String>) -> String {
    let more = run.len().saturating_sub(NAMED_MAX);
    run.truncate(NAMED_MAX);
    let more = if more == 0 {
        String::new()
    } else {
        format!("; and {more} more")
    };
    format!("others get at what is not theirs: {}{more}", run.join("; "))
}

/// The files and folders of a data folder, and of the folders in it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let mut all = entries(folder);
    for inner in ["certs", "log", "languages"] {
        all.extend(entries(&folder.join(inner)));
    }
    all.sort();
    all
}

fn is_secret(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| {
        matches!(name, "keys.json" | "demo-staff.json")
            || name.starts_with("keys.json.")
            || name.ends_with(".key")
    })
}

/// What names and telephone numbers are in, if sealed.
fn is_data(path: &Path) -> bool {
    let end = path.extension().and_then(|end| end.to_str());
    matches!(end, Some("redb" | "tail"))
}

fn wanted(path: &Path, is_folder: bool) -> &'static str {
    match (is_folder, is_secret(path)) {
        (true, _) => "750",
        (false, true) => "600",
        (false, false) => "640",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_others_get_at_is_told_with_what_to_run() {
        let held = tempfile::tempdir().unwrap();
        let folder = Folder::at(held.path());
        fs::create_dir(held.path().join("certs")).unwrap();
        for (name, secret) in [
            ("keys.json", true),
            ("demo-staff.json", true),
            ("certs/server.key", true),
            ("sumun.redb", false),
            ("server.toml", false),
        ] {
            let path = held.path().join(name);
            fs::write(&path, "x").unwrap();
            mode(&path, if secret { 0o600 } else { 0o640 });
            mode(&held.path().join("certs"), 0o750);
            mode(held.path(), 0o750);
            assert!(of(&folder).fine, "{}", of(&folder).says);
            // Whoever can read a secret, or write anything.
            for wrong in if secret {
                [0o640, 0o604]
            } else {
                [0o660, 0o646]
            } {
                mode(&path, wrong);
                let told = of(&folder);
                let run = if secret { "chmod 600" } else { "chmod 640" };
                let run = format!("{run} {}", path.display());
                assert!(!told.fine && told.says.contains(&run), "{}", told.says);
            }
            mode(&path, if secret { 0o600 } else { 0o640 });
        }
        // In a folder that others may enter they may read nothing either.
        mode(&held.path().join("sumun.redb"), 0o644);
        assert!(of(&folder).fine);
        mode(held.path(), 0o755);
        assert!(!of(&folder).fine);
        let told = of(&folder).says;
        assert!(
            told.contains("chmod 750") && told.contains("sumun.redb"),
            "{told}"
        );
    }
}
