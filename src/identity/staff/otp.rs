//! One-time codes by time (RFC 6238): six digits of a secret and the half minute it is.

use data_encoding::BASE32_NOPAD;

use crate::crypto::one_time_mac;
use crate::domain::time::Stamp;

/// Bytes of a secret: as many as the hash has.
pub const SECRET_BYTES: usize = 20;
const STEP_S: i64 = 30;
const DIGITS: u32 = 1_000_000;
/// Steps that a phone's clock may be wrong by.
const STEPS_OFF: i64 = 1;

/// The step of an instant.
fn step(now: Stamp) -> i64 {
    (now.0 / Stamp::SECOND).div_euclid(STEP_S)
}

fn code_of(secret: &[u8], step: i64) -> u32 {
    let mac = one_time_mac(secret, &step.to_be_bytes());
    // RFC 4226: four bytes from where the last four bits say, without their sign.
    let from = usize::from(mac[19] & 15);
    let four = [mac[from], mac[from + 1], mac[from + 2], mac[from + 3]];
    (u32::from_be_bytes(four) & 0x7fff_ffff) % DIGITS
}

/// The code of an instant, as an app shows it.
pub fn code(secret: &[u8], now: Stamp) -> String {
    format!("{:06}", code_of(secret, step(now)))
}

/// The step that a code is of, if it is one of now and of none up to `used`: each is good once.
pub fn step_of(secret: &[u8], code: &str, now: Stamp, used: Option<i64>) -> Option<i64> {
    let digits: String = code.chars().filter(|one| !one.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let wanted: u32 = digits.parse().ok()?;
    let near = step(now) - STEPS_OFF..=step(now) + STEPS_OFF;
    near.filter(|at| used.is_none_or(|used| *at > used))
        .find(|at| code_of(secret, *at) == wanted)
}

/// A secret as people type it into an app that can't read its code.
pub fn text(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// What an app reads out of a QR code.
pub fn address(issuer: &str, name: &str, secret: &[u8]) -> String {
    let letters = |text: &str| {
        let each = text.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        });
        each.collect::<String>()
    };
    let (issuer, name) = (letters(issuer), letters(name));
    let secret = text(secret);
    format!("otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Stamp {
        Stamp(seconds * Stamp::SECOND)
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the last six of its eight digits.
        for (seconds, wanted) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            // A stamp has nanoseconds in 64 bits: the last is beyond them.
            let code = match seconds {
                20_000_000_000 => format!("{:06}", code_of(SECRET, seconds / STEP_S)),
                _ => code(SECRET, at(seconds)),
            };
            assert_eq!(code, wanted);
        }
    }

    #[test]
    fn a_code_is_good_once_and_a_step_early_or_late() {
        let now = at(1_000_000);
        let code = code(SECRET, now);
        let step = step_of(SECRET, &code, now, None).unwrap();
        for off in [-30, 0, 30] {
            let now = at(1_000_000 + off);
            assert_eq!(step_of(SECRET, &code, now, None), Some(step));
        }
        for off in [-90, 90] {
            assert_eq!(step_of(SECRET, &code, at(1_000_000 + off), None), None);
        }
        assert_eq!(step_of(SECRET, &code, now, Some(step)), None);
        assert_eq!(step_of(SECRET, &code, now, Some(step - 1)), Some(step));
        for bad in ["", "12345", "1234567", "12345a", "-12345", "+12345"] {
            assert_eq!(step_of(SECRET, bad, now, None), None);
        }
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        assert_eq!(step_of(SECRET, &spaced, now, None), Some(step));
    }

    #[test]
    fn an_app_gets_name_and_secret() {
        assert_eq!(
            address("질병 A", "kim", b"12345"),
            "otpauth://totp/%EC%A7%88%EB%B3%91%20A:kim?secret=GEZDGNBV&issuer=\
             %EC%A7%88%EB%B3%91%20A"
        );
    }
}
