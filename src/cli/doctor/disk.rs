//! How fast the disk of the data folder makes things durable: a commit waits for that.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::{Finding, bad, fine};
use crate::clock::tick;
use crate::ops::folder::Folder;

/// As much as a small commit writes.
const WRITE_BYTES: usize = 4 << 10;
/// So many say something of the slowest in a hundred.
const WRITES: usize = 100;
/// The 99th of the hundred, in order.
const NEARLY_SLOWEST: usize = WRITES * 99 / 100 - 1;
/// With slower syncs a commit in a hundred is slower than people notice nothing of.
const SLOWEST: Duration = Duration::from_millis(20);
/// What else the disk does at that moment slows one round, a slow disk all of them.
const ROUNDS: usize = 3;
const SCRATCH: &str = "doctor.scratch";

/// Writes a hundred times into a file of its own, and removes it.
pub fn speed(folder: &Folder) -> Finding {
    const WHAT: &str = "disk speed";
    let path = folder.path().join(SCRATCH);
    let mut best: Option<[Duration; 2]> = None;
    for _ in 0..ROUNDS {
        let measured = round(&path);
        let _ = fs::remove_file(&path);
        match measured {
            Ok(measured) => {
                let before = best.map_or(Duration::MAX, |best| best[1]);
                if measured[1] < before {
                    best = Some(measured);
                }
            }
            Err(error) => return bad(WHAT, format!("{}: {error}", path.display())),
        }
        if best.is_some_and(|best| best[1] <= SLOWEST) {
            break;
        }
    }
    let [middle, slow] = best.unwrap_or_default().map(milliseconds);
    let says = format!("a sync of 4 KiB takes {middle} ms, one of a hundred {slow} ms");
    if best.is_some_and(|best| best[1] > SLOWEST) {
        let most = milliseconds(SLOWEST);
        bad(
            WHAT,
            format!(
                "{says}: commits wait for it; use a disk that keeps under {most} ms (an SSD with \
                 a protected cache), and nothing else on it"
            ),
        )
    } else {
        fine(WHAT, says)
    }
}

/// How long a write and its sync take: the middle one, and the one that is slow.
fn round(path: &Path) -> std::io::Result<[Duration; 2]> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    let bytes = [0x5a; WRITE_BYTES];
    // As the tail is: what is written to lies there already.
    file.set_len((WRITES * WRITE_BYTES) as u64)?;
    file.sync_all()?;
    let mut took = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let began = tick();
        file.write_all(&bytes)?;
        file.sync_data()?;
        took.push(began.elapsed());
    }
    took.sort_unstable();
    Ok([took[WRITES / 2], took[NEARLY_SLOWEST]])
}

fn milliseconds(took: Duration) -> String {
    format!("{:.1}", took.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_measured_and_nothing_is_left_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let finding = speed(&Folder::at(folder.path()));
        assert!(
            finding.says.contains(" ms, one of a hundred "),
            "{}",
            finding.says
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let finding = speed(&Folder::at("/proc/nowhere"));
        assert!(!finding.fine);
        assert!(
            finding.says.contains("/proc/nowhere/doctor.scratch"),
            "{}",
            finding.says
        );
    }
}
