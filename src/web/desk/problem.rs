//! What a refusal at the desk means to its caller.

use crate::identity::staff::credentials::{PASSWORD_CHARACTERS_MIN, PasswordFault};
use crate::service::desk::DeskRefused;
use crate::web::problem::Problem;
use crate::web::words::Lang;

pub fn of(refused: DeskRefused, lang: Lang) -> Problem {
    let problem = |code| Problem::new(lang, code);
    match refused {
        DeskRefused::Credentials => problem("credentials_wrong"),
        DeskRefused::WrongAgain { retry_after_s } => {
            problem("too_many_attempts").after(retry_after_s)
        }
        DeskRefused::CodeWanted => problem("code_wanted"),
        DeskRefused::Foreign => problem("foreign_request"),
        DeskRefused::Session => problem("signed_out"),
        DeskRefused::Key => problem("key_wrong"),
        DeskRefused::SetUpFirst => problem("set_up_first"),
        DeskRefused::NotYours => problem("not_yours"),
        DeskRefused::NotFound => problem("not_found"),
        DeskRefused::Password(fault) => problem("password_refused")
            .with(
                "why",
                match fault {
                    PasswordFault::Short => "short",
                    PasswordFault::Long => "long",
                    PasswordFault::Common => "common",
                },
            )
            .with("characters_min", PASSWORD_CHARACTERS_MIN),
        DeskRefused::Code => problem("code_wrong"),
        DeskRefused::TakesTwo => problem("takes_two"),
        DeskRefused::SameEyes => problem("same_eyes"),
        DeskRefused::Typed { expected } => problem("type_the_number").with("people", expected),
        DeskRefused::Changed { then, now } => problem("effect_changed")
            .with("people_then", then)
            .with("people_now", now),
        DeskRefused::Faults(faults) => problem("faults_found").with("faults", faults),
        DeskRefused::Impossible(why) => problem("not_possible").with("why", why),
        DeskRefused::Overloaded { retry_after_s } => Problem::overloaded(lang, retry_after_s),
        DeskRefused::OutcomeUnknown => problem("outcome_unknown"),
    }
}
