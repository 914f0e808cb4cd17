//! The citizen's pages: server-rendered, in Korean and English, over the same `service` as the API.
//!
//! Owns what people see. Pages decide nothing: they call `service`, show what it answers, and send
//! people on. What must hold:
//! - every page works without a script, every step is a form, and every answer to a form that
//!   changed something is a redirect, so that reloading or going back repeats nothing;
//! - where a person is follows from place, session, hold and booking alone, never from the address
//!   or the browser;
//! - no address holds anything about a person.

mod answer;
mod assets;
mod booking;
mod calendar;
mod choose;
mod components;
mod confirm;
mod day;
mod document;
mod entrance;
mod form;
mod frame;
mod guard;
mod ics;
mod landing;
mod look;
mod outline;
mod prepared;
mod proof;
mod text;
mod trouble;
mod visit;
mod waiting;
mod when;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, web};

pub use answer::{page, see_other};
pub use assets::{Asset, named as asset, serve as serve_asset};
pub use choose::words::encoded;
pub use form::Form;
pub use guard::protect;
pub use prepared::{Filled, PreparedPages};
pub use visit::Glance;

use super::door::load::Class;
use super::headers::Headers;
use super::words::Lang;
use crate::gate::Place;

/// What a request for a page is for, by its first line alone; none for what is no page.
pub fn class_of(method: &Method, path: &str) -> Option<Class> {
    if path.starts_with("/assets/") {
        return Some(Class::Free);
    }
    let (lang, rest) = path.strip_prefix('/')?.split_once('/')?;
    Lang::of_tag(lang)?;
    let page = rest.split_once('/').map_or("", |(_, page)| page);
    Some(match page {
        "" | "day" | "privacy" | "terms" | "accessibility" => Class::Browse,
        "wait" => Class::Poll,
        "enter" if method == Method::POST => Class::Enter,
        "enter" => Class::Browse,
        _ => Class::Session,
    })
}

/// A page that is answered from prepared bytes, before any route is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PreparedPage {
    Landing,
    Room,
}

/// Which such page an address names, of which campaign (the only one, if it names none), and in
/// which language.
pub fn prepared_page<'a>(
    path: &'a str,
    headers: &impl Headers,
) -> Option<(PreparedPage, Option<&'a str>, Lang)> {
    let mut parts = path.strip_prefix('/')?.splitn(3, '/');
    let (tag, campaign, page) = (parts.next()?, parts.next(), parts.next());
    let lang = match tag {
        "" => Lang::of(headers),
        tag => Lang::of_tag(tag)?,
    };
    match (campaign, page) {
        (None | Some(""), None) => Some((PreparedPage::Landing, None, lang)),
        (campaign, None) => Some((PreparedPage::Landing, campaign, lang)),
        (campaign, Some("wait")) => Some((PreparedPage::Room, campaign, lang)),
        _ => None,
    }
}

/// The answer to a browser that asks for what no route has.
pub fn missing(request: &HttpRequest) -> HttpResponse {
    let mut answer = trouble::missing(request);
    guard::protect(answer.headers_mut());
    answer
}

/// The first page.
pub fn landing_page(kept: &PreparedPages, glance: Glance<'_>) -> Filled {
    landing::prepared(kept, glance, None).into()
}

/// The waiting room of somebody with a good token.
pub fn room_page(kept: &PreparedPages, glance: Glance<'_>, place: &Place) -> Filled {
    waiting::shown(kept, glance, place)
}

/// The page for somebody who is put off: it asks again by itself, unless a form was sent.
pub fn put_off(
    method: &Method,
    path: &str,
    headers: &impl Headers,
    retry_after_s: u32,
) -> HttpResponse {
    let named = path.split('/').nth(1).and_then(Lang::of_tag);
    let lang = named.unwrap_or_else(|| Lang::of(headers));
    let mut answer = match *method {
        Method::POST => trouble::put_off_form(lang, retry_after_s),
        _ => trouble::put_off(lang, retry_after_s),
    };
    guard::protect(answer.headers_mut());
    answer
}

/// Every page. The language is the first part of an address, the campaign the second.
pub fn configure(config: &mut web::ServiceConfig) {
    let languages: Vec<&str> = Lang::all().map(Lang::tag).collect();
    config
        .app_data(web::Data::new(prepared::PreparedPages::default()))
        .service(assets::serve)
        .service(
            web::resource("/")
                .wrap(from_fn(guard::guard))
                .route(web::get().to(landing::front)),
        )
        .service(
            web::scope(&format!("/{{lang:{}}}", languages.join("|")))
                .wrap(from_fn(guard::guard))
                .route("", web::get().to(landing::front))
                .route("/", web::get().to(landing::front))
                .route("/_components", web::get().to(components::show))
                .service(
                    web::scope("/{campaign}")
                        .route("", web::get().to(landing::landing))
                        .route("/day", web::get().to(day::show))
                        .route("/day", web::post().to(day::ask))
                        .route("/privacy", web::get().to(document::privacy))
                        .route("/terms", web::get().to(document::terms))
                        .route("/accessibility", web::get().to(document::accessibility))
                        .route("/enter", web::get().to(entrance::form))
                        .route("/enter", web::post().to(entrance::enter))
                        .route("/wait", web::get().to(waiting::room))
                        .route("/window.ics", web::get().to(waiting::window_file))
                        .route("/admit", web::get().to(waiting::to_room))
                        .route("/admit", web::post().to(waiting::admit))
                        .route("/leave", web::post().to(entrance::leave))
                        .route("/sites", web::get().to(choose::sites))
                        .route("/sites/{site}", web::get().to(choose::days))
                        .route("/sites/{site}/{date}", web::get().to(choose::times::times))
                        .route("/hold", web::get().to(confirm::onward))
                        .route("/hold", web::post().to(confirm::hold))
                        .route("/confirm", web::get().to(confirm::show))
                        .route("/extend", web::get().to(confirm::onward))
                        .route("/extend", web::post().to(confirm::extend))
                        .route("/release", web::post().to(confirm::release))
                        .route("/book", web::get().to(confirm::onward))
                        .route("/book", web::post().to(confirm::book))
                        .route("/booking", web::get().to(booking::show))
                        .route("/booking.ics", web::get().to(booking::calendar_file))
                        .route("/proof", web::get().to(proof::show))
                        .route("/proof/{which:made|last}", web::get().to(proof::file))
                        .route("/cancel", web::get().to(booking::ask_cancel))
                        .route("/cancel", web::post().to(booking::cancel))
                        .default_service(web::to(trouble::no_page)),
                )
                .default_service(web::to(trouble::no_page)),
        );
}
