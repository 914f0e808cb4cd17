//! The parsers of bytes from outside, each with what is handed to it. None may panic.

use sumun::audit::{draw, verify_export};
use sumun::config::Config;
use sumun::domain::agency::Agency;
use sumun::domain::campaign::Campaign;
use sumun::domain::crockford;
use sumun::domain::entry::Entry;
use sumun::files::sites;
use sumun::journal::block::entries;
use sumun::journal::copy::{Frame, Taker, Until};

type Target = (&'static str, fn(&[u8]));

pub const TARGETS: &[Target] = &[
    ("agency", |bytes| {
        let _ = Agency::parse(&String::from_utf8_lossy(bytes), |_| Ok(bytes.to_vec()));
    }),
    ("campaign", |bytes| {
        let _ = Campaign::parse(&String::from_utf8_lossy(bytes));
    }),
    ("code", |bytes| {
        let _ = crockford::parse(&String::from_utf8_lossy(bytes));
    }),
    ("copy", |bytes| {
        let folder = tempfile();
        let Ok(mut taker) = Taker::create(&folder.join("copy"), Until::End) else {
            return;
        };
        let mut stream = bytes;
        while let Ok(frame) = Frame::read(&mut stream) {
            if taker.take(frame).is_err() {
                break;
            }
        }
        drop(taker);
        let _ = std::fs::remove_dir_all(folder);
    }),
    ("entries", |bytes| {
        for entry in entries(bytes) {
            let _ = entry.map(Entry::decode);
        }
        let _ = Entry::decode(bytes);
    }),
    ("export", |bytes| {
        let _ = verify_export(bytes, None);
        let _ = draw::check(bytes);
    }),
    ("settings", |bytes| {
        let _ = Config::parse(&String::from_utf8_lossy(bytes));
    }),
    ("sites", |bytes| {
        let _ = sites::read(bytes, Default::default());
    }),
];

fn tempfile() -> std::path::PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!(
        "sumun-fuzz.{}.{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let folder = std::env::temp_dir().join(name);
    let _ = std::fs::create_dir_all(&folder);
    folder
}
