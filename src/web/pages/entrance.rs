//! Who are you: the identity form, and what becomes of it.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CLEAR_SITE_DATA, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::answer::page;
use super::choose::notes::{IDENTITY, Steps};
use super::day::{born_in, date_words};
use super::form::Form;
use super::frame::{Frame, minutes, text};
use super::text::{Block, Told};
use super::trouble::{self, Retry, Trouble};
use super::visit::{AGREED_COOKIE, AGREED_S, BORN_COOKIE, Visit, forget, give, keep_for};
use crate::domain::campaign::IdentityField;
use crate::domain::crockford;
use crate::domain::spelling::{self, comparable_name};
use crate::domain::time::Day;
use crate::identity::Credentials;
use crate::service::Refused;
use crate::web::call::{PLACE_COOKIE, SESSION_COOKIE, peer, tokens_in};
use crate::web::gate::{CODE_CHARACTERS_MAX, NAME_CHARACTERS_MAX};
use crate::web::read;
use crate::web::words::words;

/// The empty form tells nothing of anybody. `no-store` would have the browser throw away what is
/// typed into it, which whoever is put off comes back for.
const EMPTY_FORM: &str = "private, max-age=0, must-revalidate";
/// Whoever leaves takes what the browser kept for going back with them.
const FORGET_PAGES: &str = "\"cache\"";

#[derive(Template)]
#[template(path = "enter.html", config = "src/web/pages/askama.toml")]
struct EnterPage {
    f: Frame,
    /// The title of the error summary, what to do, and each field at fault with its words.
    title: Option<String>,
    next: String,
    faults: Vec<(&'static str, String)>,
    fields: Vec<Field>,
    consent: Option<ConsentView>,
    steps: Steps,
    /// A note above the form.
    note: Option<&'static str>,
    has_place: bool,
}

/// What people agree to before they go in.
pub struct ConsentView {
    /// The version of the agency's file that has the text.
    pub version: u32,
    /// Whether what the person agreed to before is this text.
    pub is_agreed: bool,
    pub text: Told,
    pub fault: Option<String>,
    pub is_given: bool,
}

impl ConsentView {
    /// What the agency in force wants people to agree to; none if it wants nothing.
    /// `agreed` is the version of the file whose text the person agreed to.
    pub fn of(visit: &Visit, agreed: Option<u32>) -> Option<Self> {
        let known = visit.here.agency()?;
        let consent = known.agency.consent.as_ref()?;
        Some(Self {
            version: known.version,
            is_agreed: agreed.is_some_and(|version| known.is_agreed_by(version)),
            text: Told::of(visit.lang, &consent.text),
            fault: None,
            is_given: false,
        })
    }
}

struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    /// An example in a language of its own.
    example: Option<(&'static str, &'static str)>,
    value: String,
    fault: Option<String>,
    autocomplete: &'static str,
    inputmode: &'static str,
    /// What a script can check: `text`, `date` or `code`.
    kind: &'static str,
    missing: &'static str,
    how: &'static str,
}

/// What was typed.
struct Typed {
    name: String,
    birth_date: String,
    code: String,
    /// The version of the agency's file whose consent text was agreed to.
    agreed: Option<u32>,
}

pub async fn form(request: HttpRequest, visit: Visit) -> HttpResponse {
    let l = visit.lang;
    let again = Form::of_address(&request).has("again");
    let note = again.then(|| words(l, "session_expired").next);
    // Whoever asked when they may book need not write it again.
    let born = born_in(request.headers());
    let typed = Typed {
        name: String::new(),
        birth_date: born.map_or_else(String::new, |born| born.to_string().replace('-', "")),
        code: String::new(),
        agreed: None,
    };
    let template = enter_page(&visit, &typed, None, Vec::new(), note);
    let mut answer = page(l, StatusCode::OK, &template);
    if visit.place.is_none() && born.is_none() {
        let headers = answer.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(EMPTY_FORM));
    }
    answer
}

/// Gives the person their place, and lets them in if their turn is now.
pub async fn enter(
    request: HttpRequest,
    visit: Visit,
    body: read::Bytes,
) -> Result<HttpResponse, Trouble> {
    let form = Form::of(body);
    let typed = Typed {
        name: form.field("name").to_owned(),
        birth_date: form.field("birth_date").to_owned(),
        code: form.field("code").to_owned(),
        agreed: form.number("agreed"),
    };
    let l = visit.lang;
    let credentials = match credentials(&visit, &typed) {
        Ok(credentials) => credentials,
        Err(faults) => {
            let title = (l.say("fields-at-fault").to_owned(), String::new());
            let template = enter_page(&visit, &typed, Some(title), faults, None);
            return Ok(page(l, StatusCode::UNPROCESSABLE_ENTITY, &template));
        }
    };
    let entered = visit
        .service
        .enter(&visit.here, &credentials, peer(&request));
    let (_, token) = match entered {
        Ok(entered) => entered,
        Err(refused) => return Err(not_entered(&visit, &typed, refused)),
    };
    give(&request, PLACE_COOKIE, &token);
    if let Some(version) = typed.agreed {
        keep_for(&request, AGREED_COOKIE, &version.to_string(), AGREED_S);
    }
    if born_in(request.headers()).is_some() {
        forget(&request, BORN_COOKIE);
    }
    match visit.service.admit(&visit.here, &token) {
        Ok((_, session)) => {
            give(&request, SESSION_COOKIE, &session);
            let person = visit.service.session(&visit.here, &session);
            let person = person.map_err(|refused| visit.trouble(&refused))?;
            Ok(visit.onward(visit.home(&person)))
        }
        Err(Refused::NotAdmitted(_) | Refused::Paused { .. }) => {
            forget(&request, SESSION_COOKIE);
            Ok(visit.onward("/wait"))
        }
        Err(refused) => Err(visit.trouble(&refused)),
    }
}

/// Ends this device's place and session tokens, and has the browser forget them; place and booking
/// stay the person's.
///
/// The browser forgets its tokens also when the server can't remember that they are ended: then
/// they are good until their end for somebody who has copied them.
pub async fn leave(request: HttpRequest, visit: Visit) -> HttpResponse {
    let _ = visit.service.leave(tokens_in(request.headers()));
    forget(&request, PLACE_COOKIE);
    forget(&request, SESSION_COOKIE);
    forget(&request, BORN_COOKIE);
    forget(&request, AGREED_COOKIE);
    let mut answer = visit.onward("");
    let headers = answer.headers_mut();
    headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static(FORGET_PAGES));
    answer
}

/// A wrong identity is told in the form, with what was typed; another refusal has its own page.
fn not_entered(visit: &Visit, typed: &Typed, refused: Refused) -> Trouble {
    let l = visit.lang;
    let found_nobody = words(l, "identity_not_found");
    let (status, next) = match &refused {
        Refused::IdentityNotFound => (StatusCode::FORBIDDEN, found_nobody.next.to_owned()),
        Refused::WrongAgain { retry_after_s } => {
            let after = minutes(l, u64::from(*retry_after_s));
            let next = l.put("wrong-again", &[("time", text(after))]);
            (StatusCode::TOO_MANY_REQUESTS, next)
        }
        _ => {
            let retry = Retry {
                action: visit.to("/enter"),
                fields: vec![
                    ("name", typed.name.clone()),
                    ("birth_date", typed.birth_date.clone()),
                    ("code", typed.code.clone()),
                    (
                        "agreed",
                        typed.agreed.map_or_else(String::new, |it| it.to_string()),
                    ),
                ],
            };
            return trouble::refused_form(visit, &refused, &retry);
        }
    };
    let title = (found_nobody.title.to_owned(), next);
    let template = enter_page(visit, typed, Some(title), Vec::new(), None);
    Trouble::of(page(l, status, &template))
}

/// What was typed as credentials, or the fields at fault with their words.
fn credentials(visit: &Visit, typed: &Typed) -> Result<Credentials, Vec<(&'static str, String)>> {
    let l = visit.lang;
    let say = |key| l.say(key).to_owned();
    let wanted = &visit.here.offer.catalog.campaign.identity;
    let asks = |field| wanted.contains(&field);
    let mut faults = Vec::new();
    if asks(IdentityField::Name) {
        let is_empty = comparable_name(&typed.name).is_empty();
        match typed.name.chars().count() {
            _ if is_empty => faults.push(("name", say("name-missing"))),
            1..=NAME_CHARACTERS_MAX => {}
            _ => faults.push(("name", say("name-too-long"))),
        }
    }
    let born = match spelling::date::read(&typed.birth_date) {
        Ok(date) => Some(Day::of(date)),
        Err(fault) => {
            if asks(IdentityField::BirthDate) {
                faults.push(("birth_date", date_words(l, &fault)));
            }
            None
        }
    };
    if asks(IdentityField::Code) {
        match typed.code.chars().count() {
            0 => faults.push(("code", say("code-missing"))),
            1..=CODE_CHARACTERS_MAX => {
                if let Err(fault) = crockford::parse(&typed.code) {
                    faults.push(("code", say(mistyped(fault))));
                }
            }
            _ => faults.push(("code", say("code-too-long"))),
        }
    }
    let consent = ConsentView::of(visit, typed.agreed);
    if consent.is_some_and(|consent| !consent.is_agreed) {
        let key = if typed.agreed.is_some() {
            "consent-changed"
        } else {
            "consent-missing"
        };
        faults.push(("agreed", say(key)));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Credentials {
        name: asks(IdentityField::Name).then(|| typed.name.clone()),
        birth_date: born.filter(|_| asks(IdentityField::BirthDate)),
        code: typed.code.clone(),
    })
}

/// The sentence for a code that can't be one: it was mistyped, which is no guess.
fn mistyped(fault: crockford::Fault) -> &'static str {
    match fault {
        crockford::Fault::Length => "code-length",
        crockford::Fault::Character => "code-character",
        crockford::Fault::Check => "code-mistyped",
    }
}

fn enter_page(
    visit: &Visit,
    typed: &Typed,
    title: Option<(String, String)>,
    faults: Vec<(&'static str, String)>,
    note: Option<&'static str>,
) -> EnterPage {
    let l = visit.lang;
    let fault = |name: &str| {
        let found = faults.iter().find(|(field, _)| *field == name);
        found.map(|(_, words)| words.clone())
    };
    let field = |field: &IdentityField| match field {
        IdentityField::Name => Field {
            name: "name",
            label: l.say("name"),
            hint: l.say("name.hint"),
            example: Some(("ko", "김영희")),
            value: typed.name.clone(),
            fault: fault("name"),
            autocomplete: "name",
            inputmode: "text",
            kind: "text",
            missing: l.say("name-missing"),
            how: "",
        },
        IdentityField::BirthDate => Field {
            name: "birth_date",
            label: l.say("birth-date"),
            hint: l.say("birth-date.hint"),
            example: None,
            value: typed.birth_date.clone(),
            fault: fault("birth_date"),
            autocomplete: "bday",
            inputmode: "numeric",
            kind: "date",
            missing: l.say("birth-date-missing"),
            how: l.say("birth-date-how"),
        },
        IdentityField::Code => Field {
            name: "code",
            label: l.say("code"),
            hint: l.say("code.hint"),
            example: None,
            value: typed.code.clone(),
            fault: fault("code"),
            autocomplete: "off",
            inputmode: "text",
            kind: "code",
            missing: l.say("code-missing"),
            how: l.say("code-how"),
        },
    };
    let consent_fault = fault("agreed");
    let (title, next) = match title {
        Some((title, next)) => (Some(title), next),
        None => (None, String::new()),
    };
    let wanted = &visit.here.offer.catalog.campaign.identity;
    EnterPage {
        f: Frame::of(visit, "/enter"),
        title,
        next,
        fields: wanted.iter().map(field).collect(),
        steps: Steps::at(l, IDENTITY),
        faults,
        consent: ConsentView::of(visit, typed.agreed).map(|consent| ConsentView {
            is_given: consent.is_agreed,
            fault: consent_fault,
            ..consent
        }),
        note,
        has_place: visit.place.is_some(),
    }
}
