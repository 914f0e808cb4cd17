//! The citizen's pages in a real browser: headless Chromium through WebDriver, against the real
//! program with the demo's campaign.
//!
//! Screenshots of what was seen go to `target/pages/`, as `PAGE-LANGUAGE-WIDTH.png`.

mod access;
#[allow(dead_code)]
#[path = "../it/answers.rs"]
mod answers;
mod browser;
mod busy;
mod calendar;
mod choosing;
#[path = "../it/client.rs"]
mod client;
mod demo;
mod desk;
mod desk_keys;
mod desk_seats;
mod door;
mod headers;
mod holds;
mod patience;
mod room;
mod sent;
mod states;
mod story;
mod trouble;
mod way;
mod windows;
mod wishes;
#[allow(dead_code)]
#[path = "../it/world.rs"]
mod world;
