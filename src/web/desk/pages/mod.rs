//! The pages of the desk, in the languages of the citizens' pages and by the same rules: every page
//! works without a script, every act is a form, and what a form did is shown by a page of its own.

mod account_acts;
mod accounts;
mod acts;
mod board;
mod files;
mod home;
mod keys;
mod oidc;
mod proposals;
mod record;
mod relocations;
mod session;
mod sites;

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use super::staff::{Allowed, Caller, InPerson, Routes, Staff};
use crate::domain::entry::Role;
use crate::domain::staff::Account;
use crate::service::desk::DeskRefused;
use crate::web::pages::{Asset, asset, page, protect, see_other};
use crate::web::words::{Lang, words};

/// Every page.
pub fn routes(routes: &mut Routes<'_>) {
    session::routes(routes);
    oidc::routes(routes);
    home::routes(routes);
    board::routes(routes);
    // Before accounts, of which one is no number.
    account_acts::routes(routes);
    accounts::routes(routes);
    keys::routes(routes);
    // Before proposals, of which none has a name.
    files::routes(routes);
    proposals::routes(routes);
    acts::routes(routes);
    sites::routes(routes);
    relocations::routes(routes);
    record::routes(routes);
}

/// The way from `/desk` to the language that a browser likes best.
pub async fn front(request: HttpRequest) -> HttpResponse {
    see_other(&format!("/desk/{}", Lang::of(request.headers()).tag()))
}

/// What stands around every page of the desk.
pub struct Frame {
    pub l: Lang,
    /// `/desk/ko`.
    pub base: String,
    /// The same page in the other languages: address, tag, name.
    pub others: Vec<(String, &'static str, &'static str)>,
    /// Who is signed in, if somebody is.
    pub who: Option<Who>,
    pub style: &'static Asset,
    pub script: &'static Asset,
    /// What to do on this page, in paragraphs.
    pub help: Vec<String>,
}

/// Who is signed in, and where they may go: address, words, whether it is this page.
pub struct Who {
    pub name: String,
    pub role: &'static str,
    pub ways: Vec<(String, &'static str, bool)>,
}

/// Pages that are in the line of links, each with the roles that come to it.
const WAYS: &[(&str, &str, &[Role])] = &[
    ("", "desk-home", super::staff::Anyone::ROLES),
    ("/board", "desk-board", super::staff::Watchers::ROLES),
    ("/sites", "desk-site-list", super::staff::SiteReaders::ROLES),
    (
        "/relocations",
        "desk-relocations",
        super::staff::SiteReaders::ROLES,
    ),
    ("/proposals", "desk-proposals", super::staff::Readers::ROLES),
    ("/accounts", "desk-accounts", super::staff::Overseers::ROLES),
    (
        "/accounts/asked",
        "desk-asked",
        super::staff::ActReaders::ROLES,
    ),
    ("/keys", "desk-keys", super::staff::Administrators::ROLES),
    ("/record", "desk-record", super::staff::RecordReaders::ROLES),
    ("/me", "desk-me", super::staff::Anyone::ROLES),
];

impl Frame {
    /// The frame of a page at `path` behind `/desk/ko`; `help` names its help.
    pub fn of(lang: Lang, path: &str, account: Option<&Account>, help: &str) -> Self {
        let base = format!("/desk/{}", lang.tag());
        let others = Lang::all().filter(|other| *other != lang);
        let other = |other: Lang| {
            let address = format!("/desk/{}{path}", other.tag());
            (address, other.tag(), other.say("language"))
        };
        let who = account.map(|account| Who {
            name: account.name.clone(),
            role: role_words(lang, account.role),
            ways: WAYS
                .iter()
                .filter(|(_, _, roles)| roles.contains(&account.role))
                .map(|(way, words, _)| (format!("{base}{way}"), lang.say(words), *way == path))
                .collect(),
        });
        let help = lang.say(help).split('\n').map(str::trim);
        let help = help.filter(|line| !line.is_empty());
        Self {
            l: lang,
            base,
            others: others.map(other).collect(),
            who,
            style: asset("desk.css"),
            script: asset("desk.js"),
            help: help.map(str::to_owned).collect(),
        }
    }
}

/// A role in words.
pub fn role_words(lang: Lang, role: Role) -> &'static str {
    lang.say(match role {
        Role::Administrator => "role-administrator",
        Role::Operator => "role-operator",
        Role::Approver => "role-approver",
        Role::Site => "role-site",
        Role::Agent => "role-agent",
        Role::Auditor => "role-auditor",
        Role::Reporter => "role-reporter",
    })
}

/// What a form said that can't be, in words, above the form.
pub struct Trouble {
    pub title: String,
    pub next: String,
}

impl Trouble {
    pub fn of(lang: Lang, refused: DeskRefused) -> Self {
        let why = match &refused {
            DeskRefused::Impossible(why) => Some(why.clone()),
            _ => None,
        };
        let code = super::problem::of(refused, lang).code();
        let words = words(lang, code);
        Self {
            title: words.title.to_owned(),
            next: why.unwrap_or_else(|| words.next.to_owned()),
        }
    }
}

/// The language of a page's address, also of one that is no page's.
pub fn lang_of(request: &HttpRequest) -> Lang {
    let tag = request.path().split('/').nth(2).unwrap_or_default();
    Lang::of_tag(tag).unwrap_or_else(|| Lang::of(request.headers()))
}

/// A page of the desk and whoever asks for it: a person, as no key comes to a page.
pub struct Page<A> {
    pub staff: Staff<A>,
    pub person: InPerson,
    pub lang: Lang,
}

impl Page<super::staff::Operators> {
    /// The same, as one who watches: operators do.
    fn into_watcher(self) -> Page<super::staff::Watchers> {
        let Self {
            staff,
            person,
            lang,
        } = self;
        Page {
            staff: staff.into_watcher(),
            person,
            lang,
        }
    }
}

impl<A: Allowed> Page<A> {
    pub fn frame(&self, path: &str, help: &str) -> Frame {
        Frame::of(self.lang, path, Some(&self.staff.account), help)
    }

    /// The address of another page.
    pub fn to(&self, path: &str) -> String {
        format!("/desk/{}{path}", self.lang.tag())
    }

    pub fn trouble(&self, refused: DeskRefused) -> Trouble {
        Trouble::of(self.lang, refused)
    }
}

impl<A: Allowed> FromRequest for Page<A> {
    type Error = Elsewhere;
    type Future = Ready<Result<Self, Elsewhere>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let lang = lang_of(request);
        let elsewhere = |refused, account| Elsewhere {
            lang,
            refused,
            account,
        };
        let staff = match Staff::seen(request) {
            Ok(staff) => staff,
            Err((refused, account)) => return ready(Err(elsewhere(refused, account))),
        };
        ready(match &staff.caller {
            Caller::Person(person) => Ok(Self {
                person: person.clone(),
                staff,
                lang,
            }),
            Caller::Key(_) => Err(elsewhere(DeskRefused::NotYours, Some(staff.account))),
        })
    }
}

/// Whoever can't come to a page is sent on, or told why.
#[derive(Debug)]
pub struct Elsewhere {
    lang: Lang,
    refused: DeskRefused,
    account: Option<Account>,
}

impl std::fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.refused)
    }
}

impl ResponseError for Elsewhere {
    fn status_code(&self) -> StatusCode {
        match self.refused {
            DeskRefused::Session | DeskRefused::SetUpFirst => StatusCode::SEE_OTHER,
            _ => StatusCode::FORBIDDEN,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let base = format!("/desk/{}", self.lang.tag());
        let mut answer = match self.refused {
            DeskRefused::Session => see_other(&format!("{base}/sign-in")),
            DeskRefused::SetUpFirst => see_other(&format!("{base}/set-up")),
            _ => {
                let trouble = Trouble::of(self.lang, self.refused.clone());
                told(
                    self.lang,
                    self.account.as_ref(),
                    StatusCode::FORBIDDEN,
                    trouble,
                )
            }
        };
        protect(answer.headers_mut());
        answer
    }
}

#[derive(Template)]
#[template(path = "desk/told.html", config = "src/web/pages/askama.toml")]
struct ToldPage {
    f: Frame,
    trouble: Trouble,
}

/// A page that says one thing.
fn told(
    lang: Lang,
    account: Option<&Account>,
    status: StatusCode,
    trouble: Trouble,
) -> HttpResponse {
    let f = Frame::of(lang, "", account, "desk-help-home");
    page(lang, status, &ToldPage { f, trouble })
}

/// No such page.
pub async fn missing(request: HttpRequest) -> HttpResponse {
    let lang = lang_of(&request);
    let trouble = Trouble::of(lang, DeskRefused::NotFound);
    let mut answer = told(lang, None, StatusCode::NOT_FOUND, trouble);
    protect(answer.headers_mut());
    answer
}

/// The pattern of the language in an address.
fn at(path: &str) -> String {
    let tags: Vec<&str> = Lang::all().map(Lang::tag).collect();
    format!("/desk/{{lang:{}}}{path}", tags.join("|"))
}

/// A page's own answers carry what every page carries.
fn shown(lang: Lang, template: &impl Template) -> HttpResponse {
    shown_with(lang, StatusCode::OK, template)
}

fn shown_with(lang: Lang, status: StatusCode, template: &impl Template) -> HttpResponse {
    let mut answer = page(lang, status, template);
    protect(answer.headers_mut());
    answer
}

/// On to another page.
fn onward(address: &str) -> HttpResponse {
    let mut answer = see_other(address);
    protect(answer.headers_mut());
    answer
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;

/// The parts of an address.
pub struct Path(pub(super) HttpRequest);

impl Path {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.match_info().get(name)
    }
}

impl FromRequest for Path {
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.clone())))
    }
}
