//! The files that come with operators' work: how long each may be, and the text of a campaign file.
//!
//! A file is read as a stream; only a campaign's or an agency's, which has a small bound, is held
//! whole.

use std::io::{self, Read};

use super::Work;
use crate::domain::agency;
use crate::domain::campaign::{self, Campaign};
use crate::ops::outcome::{WorkFault, WorkRefused};

/// 14,000 sites whose every field is as long as it may be have 20 MB.
const SITES_BYTES_MAX: u64 = 32 << 20;
/// 10 M slots have about 450 MB.
const SLOTS_BYTES_MAX: u64 = 1 << 30;
/// A roster of 60 million people has about 5 GB.
const ROSTER_BYTES_MAX: u64 = 16 << 30;

impl Work {
    /// The longest file that may come with it; 0 when none does.
    pub fn file_bytes_max(&self) -> u64 {
        match self {
            Self::Activate { .. } => campaign::FILE_BYTES_MAX,
            Self::ActivateAgency { .. } => agency::FILE_BYTES_MAX,
            Self::ImportSites { .. } => SITES_BYTES_MAX,
            Self::ImportSlots { .. } => SLOTS_BYTES_MAX,
            Self::ImportRoster { .. } => ROSTER_BYTES_MAX,
            Self::Gate { .. }
            | Self::DrawValue { .. }
            | Self::GateStatus { .. }
            | Self::RotateTokenKey { .. }
            | Self::RotatePersonalKeys
            | Self::ForgetPersonalKeys
            | Self::RotateHeadKey
            | Self::Person { .. }
            | Self::Reviewed { .. }
            | Self::Staff(_)
            | Self::CampaignList
            | Self::AgencyList
            | Self::RosterStats
            | Self::Head
            | Self::Checkpoint { .. }
            | Self::Prove { .. }
            | Self::Copy { .. }
            | Self::Health => 0,
        }
    }

    /// Why a longer file is not taken.
    pub fn too_long(&self) -> WorkRefused {
        let longer = match self.file_bytes_max() {
            0 => {
                let none = WorkRefused::new("no file comes with this command");
                return none.to_do("leave it out");
            }
            most if most < 1 << 30 => format!("{} MiB", most >> 20),
            most => format!("{} GiB", most >> 30),
        };
        let what = format!("the file is longer than {longer}, the most for this command");
        WorkRefused::new(what).to_do("is it the right file?")
    }
}

/// A file of at most so many bytes: a longer one is an error at the first byte too many.
pub(super) struct Bounded<R> {
    source: R,
    left: u64,
    too_long: WorkRefused,
}

impl<R> Bounded<R> {
    /// The file that comes with a piece of work.
    pub(super) fn of(work: &Work, source: R) -> Self {
        Self {
            source,
            left: work.file_bytes_max(),
            too_long: work.too_long(),
        }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(self.too_long.clone())),
        }
        Ok(count)
    }
}

/// The text of a file, or where it is none.
pub(super) fn utf8(mut source: impl Read) -> io::Result<Result<String, WorkFault>> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).map_err(|fault| {
        let at = fault.utf8_error().valid_up_to() + 1;
        let why = WorkRefused::new("the file is not UTF-8").at(format!("from byte {at} on"));
        why.to_do("save it as UTF-8").into()
    }))
}

/// The text of a campaign file that can be activated, or what is wrong with it.
pub(super) fn campaign_text(source: impl Read) -> io::Result<Result<String, WorkFault>> {
    let text = match utf8(source)? {
        Ok(text) => text,
        Err(fault) => return Ok(Err(fault)),
    };
    Ok(match Campaign::parse(&text) {
        Ok(_) => Ok(text),
        Err(findings) => Err(WorkFault::Findings(findings)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts what is read of it, and never ends.
    struct Endless(u64);

    impl Read for &mut Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(b'#');
            self.0 += buffer.len() as u64;
            Ok(buffer.len())
        }
    }

    /// A file of 300 MB took 711 MB of memory before it was refused.
    #[test]
    fn a_campaign_file_that_does_not_end_is_read_to_its_bound_and_refused() {
        let mut endless = Endless(0);
        let source = Bounded::of(&Work::Activate { dry_run: false }, &mut endless);
        let refused = campaign_text(source).unwrap_err().to_string();
        assert!(refused.contains("longer than 1 MiB"), "{refused}");
        // A reader of growing buffers asks for no more than as much again.
        assert!(endless.0 <= 2 * campaign::FILE_BYTES_MAX, "{}", endless.0);
    }

    #[test]
    fn a_file_of_just_its_bound_is_read() {
        let bytes = [b'#'; 10];
        for (left, fits) in [(10, true), (9, false)] {
            let too_long = Work::Head.too_long();
            let mut source = Bounded {
                source: bytes.as_slice(),
                left,
                too_long,
            };
            let mut read = Vec::new();
            assert_eq!(source.read_to_end(&mut read).is_ok(), fits);
        }
    }

    #[test]
    fn only_work_with_a_file_takes_one() {
        assert_eq!(Work::Head.file_bytes_max(), 0);
        assert!(Work::Head.too_long().to_string().contains("no file"));
        let roster = Work::ImportRoster {
            dry_run: true,
            accept_gone: None,
            accept_erased: None,
            origin: String::new(),
            same_person: Default::default(),
            encoding: Default::default(),
            country: Default::default(),
            reports: false,
        };
        assert!(roster.too_long().to_string().contains("16 GiB"));
    }
}
