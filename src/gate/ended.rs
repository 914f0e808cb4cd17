//! The devices that people have left: their tokens are refused although they verify.
//!
//! A device is what a person entered on once: its place token and every session token that was
//! given for it carry the same number. Leaving ends all of them together.
//!
//! The table is in memory and bounded; a restart forgets it. Nothing is kept for longer than a
//! token of the device could be good.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::token::{TOKEN_S_MAX, Token};
use crate::domain::ids::PersonKey;
use crate::domain::state::KeyHash;
use crate::domain::time::Stamp;
use crate::sync::locked;

/// Locks that people spread over.
const SHARDS: usize = 64;
/// People a shard remembers: as many as 8,192 buckets of a hash table hold. With 56 bytes a person
/// and one a bucket that is 0.5 MB a shard and 30 MB in all.
const SHARD_PEOPLE_MAX: usize = 7_168;
/// People who may have left a device within the last day.
pub const ENDED_PEOPLE_MAX: usize = SHARDS * SHARD_PEOPLE_MAX;
/// Devices remembered by number for one person. With one more, every token that the person has is
/// ended: a person who leaves again and again takes no more memory than others.
pub const ENDED_DEVICES_MAX: usize = 4;

type Shard = HashMap<PersonKey, Ended, KeyHash>;

#[derive(Debug, Default)]
pub struct EndedDevices {
    people: AtomicUsize,
    shards: Box<[Mutex<Shard>]>,
    /// The shard that the next sweep looks at.
    next_swept: AtomicUsize,
}

/// What one person has left.
#[derive(Clone, Copy, Debug)]
struct Ended {
    devices: [u32; ENDED_DEVICES_MAX],
    known: usize,
    /// Tokens that were issued before this are ended, whatever their device.
    issued_before: Stamp,
    /// No token of these devices is good after this.
    until: Stamp,
}

/// Nothing more can be remembered now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

impl EndedDevices {
    pub fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            ..Self::default()
        }
    }

    fn shard(&self, person: &PersonKey) -> std::sync::MutexGuard<'_, Shard> {
        let shard = &self.shards[usize::from(person.0[0]) % SHARDS];
        locked(shard)
    }

    /// People of whom something is remembered.
    pub fn people(&self) -> usize {
        self.people.load(Ordering::Relaxed)
    }

    /// Ends every token of the device that this token is of.
    pub fn end(&self, token: &Token, now: Stamp) -> Result<(), Full> {
        let mut shard = self.shard(&token.person);
        if !shard.contains_key(&token.person) {
            if shard.len() >= SHARD_PEOPLE_MAX {
                self.sweep_shard(&mut shard, now);
            }
            if shard.len() >= SHARD_PEOPLE_MAX {
                return Err(Full);
            }
            self.people.fetch_add(1, Ordering::Relaxed);
        }
        let ended = shard.entry(token.person).or_insert(Ended {
            devices: [0; ENDED_DEVICES_MAX],
            known: 0,
            issued_before: Stamp(i64::MIN),
            until: now,
        });
        ended.until = now.plus_s(TOKEN_S_MAX);
        if ended.devices().contains(&token.device) {
            return Ok(());
        }
        if ended.known == ENDED_DEVICES_MAX {
            ended.known = 0;
            ended.issued_before = now;
        }
        ended.devices[ended.known] = token.device;
        ended.known += 1;
        Ok(())
    }

    /// Whether the device of this token was left.
    pub fn holds(&self, token: &Token) -> bool {
        if self.people() == 0 {
            return false;
        }
        let shard = self.shard(&token.person);
        shard.get(&token.person).is_some_and(|ended| {
            token.issued < ended.issued_before || ended.devices().contains(&token.device)
        })
    }

    /// Forgets in one shard what no good token can be of any more; called again, in the next one.
    pub fn sweep_next(&self, now: Stamp) {
        if self.people() == 0 {
            return;
        }
        let at = self.next_swept.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let mut shard = locked(&self.shards[at]);
        self.sweep_shard(&mut shard, now);
    }

    fn sweep_shard(&self, shard: &mut Shard, now: Stamp) {
        let before = shard.len();
        shard.retain(|_, ended| now < ended.until);
        self.people
            .fetch_sub(before - shard.len(), Ordering::Relaxed);
    }
}

impl Ended {
    fn devices(&self) -> &[u32] {
        &self.devices[..self.known]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::CampaignIndex;
    use crate::gate::token::Kind;

    const NOW: Stamp = Stamp(1_626_692_400_000_000_000);

    fn token(person: u32, device: u32) -> Token {
        let mut key = [0; 16];
        // The first byte chooses the shard, the last eight the place in its table.
        key[8..12].copy_from_slice(&person.to_be_bytes());
        Token {
            kind: Kind::Place,
            campaign: CampaignIndex(0),
            person: PersonKey(key),
            mark: 1,
            issued: NOW,
            ends: NOW.plus_s(TOKEN_S_MAX),
            device,
        }
    }

    #[test]
    fn one_device_is_left_and_the_others_go_on() {
        let ended = EndedDevices::new();
        assert!(!ended.holds(&token(1, 7)));
        ended.end(&token(1, 7), NOW).unwrap();
        ended.end(&token(1, 7), NOW).unwrap();
        let session = Token {
            kind: Kind::Session,
            ..token(1, 7)
        };
        assert!(ended.holds(&token(1, 7)) && ended.holds(&session));
        assert!(!ended.holds(&token(1, 8)));
        assert!(!ended.holds(&token(2, 7)));
        assert_eq!(ended.people(), 1);
    }

    #[test]
    fn it_is_remembered_for_as_long_as_a_token_can_be_good() {
        let ended = EndedDevices::new();
        ended.end(&token(1, 7), NOW).unwrap();
        let sweep = |now: Stamp| (0..SHARDS).for_each(|_| ended.sweep_next(now));
        sweep(NOW.plus_s(TOKEN_S_MAX - 1));
        assert!(ended.holds(&token(1, 7)));
        sweep(NOW.plus_s(TOKEN_S_MAX));
        assert_eq!(ended.people(), 0);
        assert!(!ended.holds(&token(1, 7)));
    }

    /// One person who enters and leaves in a loop must not fill the table of all.
    #[test]
    fn a_person_who_leaves_again_and_again_takes_one_entry() {
        let ended = EndedDevices::new();
        for device in 0..ENDED_DEVICES_MAX as u32 {
            ended.end(&token(1, device), NOW.plus_s(1)).unwrap();
        }
        assert!(!ended.holds(&token(1, 100)), "another device goes on");
        ended.end(&token(1, 50), NOW.plus_s(1)).unwrap();
        for device in [0, 3, 50, 100] {
            assert!(ended.holds(&token(1, device)), "all from before are ended");
        }
        let later = |device| Token {
            issued: NOW.plus_s(1),
            ..token(1, device)
        };
        assert!(!ended.holds(&later(101)), "who enters again is in again");
        for device in 1_000..100_000 {
            ended.end(&token(1, device), NOW.plus_s(1)).unwrap();
        }
        assert_eq!(ended.people(), 1);
    }

    #[test]
    fn a_full_table_refuses_until_a_day_has_passed() {
        let ended = EndedDevices::new();
        let most = SHARD_PEOPLE_MAX as u32;
        for person in 0..most {
            ended.end(&token(person, 1), NOW).unwrap();
        }
        assert_eq!(ended.end(&token(most, 1), NOW), Err(Full));
        assert!(!ended.holds(&token(most, 1)));
        ended.end(&token(0, 2), NOW.plus_s(1)).unwrap();
        assert!(ended.holds(&token(0, 2)), "known people still leave");
        let day = NOW.plus_s(TOKEN_S_MAX);
        assert_eq!(ended.end(&token(most, 1), day), Ok(()));
        assert_eq!(ended.people(), 2);
    }

    #[test]
    fn a_person_takes_the_bytes_that_the_bound_counts_with() {
        assert!(size_of::<(PersonKey, Ended)>() <= 56);
    }
}
