//! Whether the systemd unit lets a server write to the data folder: the unit is strict about the
//! file system, and gives a server `/var/lib/sumun` alone.

use std::path::{Path, PathBuf};

use super::{Finding, bad, fine};

const WHAT: &str = "unit";
/// What `StateDirectory=sumun` makes.
const STATE: &str = "/var/lib/sumun";
/// Folders that `ProtectHome=` and `PrivateTmp=` hide, whatever is made writable.
const HIDDEN: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];
/// Where the unit and what was added to it are.
const UNITS: [&str; 2] = ["/etc/systemd/system", "/usr/lib/systemd/system"];

pub fn finding(folder: &Path) -> Finding {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    judge(&folder, &unit_texts())
}

/// The texts of the installed unit and its drop-ins; none if it is not installed.
pub(super) fn unit_texts() -> Vec<String> {
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in UNITS.map(Path::new) {
        files.push(folder.join("sumun.service"));
        let added = std::fs::read_dir(folder.join("sumun.service.d"));
        let added = added.into_iter().flatten().flatten();
        files.extend(added.map(|entry| entry.path()));
    }
    let texts = files.iter().map(std::fs::read_to_string);
    texts.filter_map(Result::ok).collect()
}

fn judge(folder: &Path, texts: &[String]) -> Finding {
    let shown = folder.display();
    if folder.starts_with(STATE) {
        return fine(WHAT, format!("{shown} is the unit's own folder"));
    }
    let serves = words(texts, "ExecStart").any(|word| Path::new(word) == folder);
    if let Some(hidden) = HIDDEN.iter().find(|hidden| folder.starts_with(hidden)) {
        let says = format!("the unit hides {hidden}: move the data folder, as to /srv/sumun");
        return if serves {
            bad(WHAT, says)
        } else {
            fine(WHAT, format!("none serves {shown}; {says}"))
        };
    }
    let may = |word: &str| folder.starts_with(word.trim_start_matches(['-', '+']));
    if words(texts, "ReadWritePaths").any(may) {
        return fine(WHAT, format!("may write to {shown}"));
    }
    // One line: what is told of a finding stands in a table.
    let needs = format!(
        "`systemctl edit sumun.service` with the four lines: [Service] | ReadWritePaths={shown} | \
         ExecStart= | ExecStart=/usr/local/bin/sumun serve --data {shown}"
    );
    if serves {
        bad(WHAT, format!("may not write to {shown}: {needs}"))
    } else {
        fine(
            WHAT,
            format!("none serves {shown}; for one that does, {needs}"),
        )
    }
}

/// The words of all lines that set `name`.
pub(super) fn words<'a>(texts: &'a [String], name: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = texts.iter().flat_map(|text| text.lines());
    let set = lines.filter_map(move |line| line.strip_prefix(name)?.strip_prefix('='));
    set.flat_map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(folder: &str, texts: &[&str]) -> (bool, String) {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        let Finding { fine, says, .. } = judge(Path::new(folder), &texts);
        (fine, says)
    }

    #[test]
    fn a_service_with_its_data_elsewhere_is_told_which_line_is_missing() {
        let unit = "[Service]\nExecStart=/usr/local/bin/sumun serve\nStateDirectory=sumun\n";
        assert!(judged("/var/lib/sumun", &[unit]).0);
        let elsewhere =
            "[Service]\nExecStart=\nExecStart=/usr/local/bin/sumun serve --data /srv/s\n";
        let (fine, says) = judged("/srv/s", &[unit, elsewhere]);
        assert!(!fine && says.contains("ReadWritePaths=/srv/s |"), "{says}");
        let allowed = format!("{elsewhere}ReadWritePaths=/mnt -/srv\n");
        assert!(judged("/srv/s", &[unit, &allowed]).0);
        let other = format!("{elsewhere}ReadWritePaths=/srv/sumun\n");
        assert!(!judged("/srv/s", &[unit, &other]).0);
        // A folder that no unit serves is no fault, and the lines are told all the same.
        let (fine, says) = judged("/srv/s", &[unit]);
        assert!(fine && says.contains("ReadWritePaths=/srv/s |"), "{says}");
        let (fine, says) = judged("/srv/s", &[]);
        assert!(fine && says.contains("--data /srv/s"), "{says}");
        let home = elsewhere.replace("/srv/s", "/home/x");
        let (fine, says) = judged("/home/x", &[&home]);
        assert!(!fine && says.contains("hides /home"), "{says}");
    }
}
