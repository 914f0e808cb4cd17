//! Makes the request that a person sends next.

use super::{Scene, Who};
use crate::rush::answer::Kind;
use crate::rush::crowd::{BOT, CAME, PAGES, Person, Step, UNSURE};
use crate::rush::http::{push_get, push_post};

impl Scene {
    /// Appends the request that is due, and returns its kind.
    pub fn ask(&mut self, who: Who, into: &mut Vec<u8>, now: u64) -> Kind {
        self.now = now;
        let at = who.person as usize;
        if !self.checking && !self.crowd.people[at].is(CAME) {
            self.crowd.people[at].set(CAME, true);
            self.record.totals.arrived += 1;
            self.record.now.arrived += 1;
        }
        if self.crowd.people[at].is(PAGES) {
            return self.page_asks(who, into);
        }
        if !who.is_beside() && self.crowd.people[at].step == Step::Enter {
            self.wants_number(who.person);
        }
        let path = &self.setting.path;
        let person = &self.crowd.people[at];
        let token = person.token.as_deref().unwrap_or_default();
        let kind = if who.is_beside() {
            Kind::Enter
        } else {
            kind(person)
        };
        let key = || {
            let (run, keys) = (&self.setting.key, person.keys);
            format!("{run}-{:x}-{keys}", who.person)
        };
        let text = |id| self.crowd.names.text(id);
        let paper = person.paper.as_deref().unwrap_or_default();
        match kind {
            Kind::Board => push_get(into, &format!("{path}/gate/board"), ""),
            Kind::Enter => {
                let [name, born, code, _] = self.crowd.credentials(who.person);
                let [name, born, code] = [name, born, code].map(quoted);
                let body = format!(r#"{{"name":{name},"birth_date":{born},"code":{code}}}"#);
                push_post(into, &format!("{path}/gate/enter"), "", "", &body);
            }
            Kind::Place => push_get(into, &format!("{path}/gate/place"), token),
            Kind::Admit => push_post(into, &format!("{path}/gate/admit"), token, "", ""),
            Kind::Sites => {
                let region = self.crowd.credentials(who.person)[3];
                let region = match person.wide {
                    0 => region,
                    1 => region.split('/').next().unwrap_or_default(),
                    _ => "",
                };
                let query = match region {
                    "" => String::new(),
                    region => format!("?region={region}"),
                };
                push_get(into, &format!("{path}/sites{query}"), token);
            }
            Kind::Days => {
                let site = text(person.site);
                push_get(into, &format!("{path}/sites/{site}/days"), token);
            }
            Kind::Slots => {
                let (site, date) = (text(person.site), text(person.date));
                let path = format!("{path}/sites/{site}/slots?date={date}");
                push_get(into, &path, token);
            }
            Kind::Hold => {
                let body = format!(r#"{{"slot":{}}}"#, quoted(text(person.slot)));
                push_post(into, &format!("{path}/holds"), token, "", &body);
            }
            Kind::Book => {
                let body = match &person.paper {
                    Some(hold) => format!(r#"{{"hold":{}}}"#, quoted(hold)),
                    None => format!(r#"{{"slot":{}}}"#, quoted(text(person.slot))),
                };
                push_post(into, &format!("{path}/bookings"), token, &key(), &body);
            }
            Kind::Mine => push_get(into, &format!("{path}/bookings/mine"), token),
            Kind::Move => {
                let body = format!(r#"{{"slot":{}}}"#, quoted(text(person.slot)));
                let path = format!("{path}/bookings/{paper}/move");
                push_post(into, &path, token, &key(), &body);
            }
            Kind::Cancel => {
                let path = format!("{path}/bookings/{paper}/cancel");
                push_post(into, &path, token, &key(), "");
            }
            _ => unreachable!("pages are asked for by browsers"),
        }
        let person = &mut self.crowd.people[at];
        if matches!(kind, Kind::Book | Kind::Move | Kind::Cancel) {
            person.set(UNSURE, true);
        }
        kind
    }
}

/// The kind of request for a person's step.
fn kind(person: &Person) -> Kind {
    match person.step {
        Step::Come => Kind::Board,
        Step::Enter => Kind::Enter,
        // A bot tries four calls in turn.
        Step::Wait if person.is(BOT) => match person.tries % 4 {
            0 => Kind::Place,
            1 => Kind::Admit,
            2 => Kind::Board,
            _ => Kind::Enter,
        },
        Step::Wait => Kind::Place,
        Step::Admit => Kind::Admit,
        Step::Sites => Kind::Sites,
        Step::Days => Kind::Days,
        Step::Slots => Kind::Slots,
        Step::Hold => Kind::Hold,
        Step::Book => Kind::Book,
        Step::Move => Kind::Move,
        Step::Cancel => Kind::Cancel,
        _ => Kind::Mine,
    }
}

/// The text as a JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text has a JSON form")
}
