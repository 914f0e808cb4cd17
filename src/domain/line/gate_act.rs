//! What an operator may set at a gate: the bounds of the numbers and texts of a `GateAct`.
//!
//! Asked once, before an act is handed to the writer. It must not be asked when the journal is
//! read: an act of an earlier program stays what it was.

use std::ops::RangeInclusive;

use crate::domain::entry::GateAct;
use crate::domain::line::Notice;
use crate::domain::text::{self, NOTICE_CHARS_MAX, TextFault};

/// People let in each second. 0 would stop the line without saying so, which is what a pause is
/// for; a million a second is 17 times a country of 60 million within the hour.
pub const ADMIT_PER_S: RangeInclusive<u32> = 1..=1_000_000;
/// With nobody in at all the line would stand still without a word.
pub const ACTIVE_MIN: u32 = 1;

/// Why an act can't be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ActFault {
    #[error("{}", rate_words(.0))]
    Rate(u32),
    #[error("at most {0} people in: give at least {ACTIVE_MIN}, or pause the gate to call nobody")]
    Active(u32),
    #[error("the reason {0}")]
    Reason(TextFault),
    #[error("the message {0}")]
    Message(TextFault),
    #[error("the value {0}")]
    Value(TextFault),
    #[error("the source {0}")]
    Source(TextFault),
}

fn rate_words(rate: &u32) -> String {
    let (least, most) = (ADMIT_PER_S.start(), ADMIT_PER_S.end());
    format!(
        "the rate is {rate}: give {least} to {most} people a second, or pause the gate to call \
         nobody"
    )
}

/// Checks what an operator wants at a gate.
pub fn check(act: &GateAct) -> Result<(), ActFault> {
    match act {
        GateAct::Pause { reason, .. } => {
            text::check_words(reason, NOTICE_CHARS_MAX).map_err(ActFault::Reason)
        }
        GateAct::PauseSaid { reason, .. } | GateAct::Drain { reason } => {
            check_notice(reason).map_err(ActFault::Reason)
        }
        GateAct::MessageSaid { message } => check_notice(message).map_err(ActFault::Message),
        GateAct::Resume => Ok(()),
        GateAct::Rate { admit_per_s } => {
            let fits = ADMIT_PER_S.contains(admit_per_s);
            fits.then_some(()).ok_or(ActFault::Rate(*admit_per_s))
        }
        GateAct::Active { active_max } => {
            let fits = *active_max >= ACTIVE_MIN;
            fits.then_some(()).ok_or(ActFault::Active(*active_max))
        }
        GateAct::DrawValue { value, source, .. } => {
            text::check_words(value, NOTICE_CHARS_MAX).map_err(ActFault::Value)?;
            text::check_words(source, NOTICE_CHARS_MAX).map_err(ActFault::Source)
        }
        // An empty message takes the one before away.
        GateAct::Message { text } if text.is_empty() => Ok(()),
        GateAct::Message { text } => {
            text::check_words(text, NOTICE_CHARS_MAX).map_err(ActFault::Message)
        }
    }
}

fn check_notice(notice: &Notice) -> Result<(), TextFault> {
    let mut texts = [Some(&notice.text), notice.en.as_ref()]
        .into_iter()
        .flatten();
    texts.try_for_each(|text| text::check_words(text, NOTICE_CHARS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_checked_at_both_ends() {
        let rate = |admit_per_s| check(&GateAct::Rate { admit_per_s });
        assert_eq!(rate(0), Err(ActFault::Rate(0)));
        assert_eq!(rate(1), Ok(()));
        assert_eq!(rate(1_000_000), Ok(()));
        assert_eq!(rate(1_000_001), Err(ActFault::Rate(1_000_001)));
        let active = |active_max| check(&GateAct::Active { active_max });
        assert_eq!(active(0), Err(ActFault::Active(0)));
        assert_eq!(active(1), Ok(()));
    }

    #[test]
    fn texts_are_checked_and_only_a_message_may_be_empty() {
        let pause = |reason: &str| {
            let reason = reason.to_owned();
            check(&GateAct::Pause {
                reason,
                freezes: false,
            })
        };
        let message = |text: &str| {
            check(&GateAct::Message {
                text: text.to_owned(),
            })
        };
        assert_eq!(pause("서버 점검"), Ok(()));
        assert_eq!(pause(" "), Err(ActFault::Reason(TextFault::Empty)));
        assert_eq!(message(""), Ok(()));
        let told = message("ab\u{f0000}").unwrap_err().to_string();
        let wanted = "the message character 3 is U+F0000, a character for private use: take it out";
        assert_eq!(told, wanted);
        assert!(pause(&"x".repeat(10_000)).is_err());
    }
}
