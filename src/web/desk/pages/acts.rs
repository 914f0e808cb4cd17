//! Forms for what is proposed without a file: closing slots and opening them again, opening hours,
//! a split of a stock, another interval between two doses. Each shows what it would do before it is
//! proposed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::proposals::effect::EffectShown;
use super::{Frame, GET, POST, Page, Path, Trouble, at, onward, shown_with};
use crate::domain::ids::CampaignId;
use crate::domain::staff::proposal::Proposal;
use crate::service::Here;
use crate::service::desk::interval::text_with_interval;
use crate::service::desk::{DeskRefused, hours};
use crate::web::desk::api::seats::HoursRequest;
use crate::web::desk::staff::{Proposers, Routes};
use crate::web::desk::wanted::{self, PlanRequest, RangeRequest, SeatsByPool};
use crate::web::pages::Form;
use crate::web::read;
use crate::web::words::Lang;

pub fn routes(routes: &mut Routes<'_>) {
    routes.page::<Proposers, _, _>(GET, &at("/propose/{kind}"), form_page);
    routes.page::<Proposers, _, _>(POST, &at("/propose/{kind}"), sent);
}

/// What a form is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Close,
    Reopen,
    Retime,
    Hours,
    Split,
    Interval,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::Close,
        Self::Reopen,
        Self::Retime,
        Self::Hours,
        Self::Split,
        Self::Interval,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Reopen => "reopen",
            Self::Retime => "retime",
            Self::Hours => "hours",
            Self::Split => "split",
            Self::Interval => "interval",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub fn title(self, lang: Lang) -> &'static str {
        lang.say(match self {
            Self::Close => "act-close",
            Self::Reopen => "act-reopen",
            Self::Retime => "act-retime",
            Self::Hours => "act-hours",
            Self::Split => "act-split",
            Self::Interval => "act-interval",
        })
    }

    fn help(self) -> &'static str {
        match self {
            Self::Close => "desk-help-close",
            Self::Reopen => "desk-help-reopen",
            Self::Retime => "desk-help-retime",
            Self::Hours => "desk-help-hours",
            Self::Split => "desk-help-split",
            Self::Interval => "desk-help-interval",
        }
    }
}

/// A field of a form, in the order of the page.
struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    value: String,
    input: Input,
    is_required: bool,
}

/// How a field is filled in.
#[derive(PartialEq, Eq)]
enum Input {
    Text,
    Date,
    Time,
    Instant,
    Number,
    Lines,
    /// Value, words, whether it is chosen.
    Choice(Vec<(String, String, bool)>),
    /// Boxes of their own names: name, words, whether it is ticked.
    Boxes(Vec<(String, String, bool)>),
}

#[derive(Template)]
#[template(path = "desk/act.html", config = "src/web/pages/askama.toml")]
struct ActPage {
    f: Frame,
    trouble: Option<Trouble>,
    faults: Vec<String>,
    title: &'static str,
    kind: &'static str,
    fields: Vec<Field>,
    due: String,
    reason: String,
    seen: Option<EffectShown>,
}

/// The campaign that a form is about: the one that is named, else the first of the account's.
fn campaign_of(page: &Page<Proposers>, form: &Form) -> Option<Here> {
    let service = &page.staff.service;
    let bounds = &page.staff.account.bounds;
    let named = form.field("campaign");
    if !named.is_empty() {
        return service
            .campaign(named)
            .ok()
            .filter(|_| bounds.has_campaign(named));
    }
    let offers = service.shared.offers().clone();
    let mut ids = offers
        .iter()
        .map(|offer| offer.catalog.campaign.id.to_string());
    let first = ids.find(|id| bounds.has_campaign(id))?;
    service.campaign(&first).ok()
}

/// The fields of a form, with what was typed.
struct Fields<'a> {
    lang: Lang,
    form: &'a Form,
    here: &'a Here,
    page: &'a Page<Proposers>,
    all: Vec<Field>,
}

impl Fields<'_> {
    fn add(&mut self, name: &'static str, label: &'static str, input: Input, is_required: bool) {
        let hint = match name {
            "sites" => self.lang.say("act-sites-hint"),
            "at" => self.lang.say("act-at-hint"),
            "spans" => self.lang.say("act-spans-hint"),
            "except" => self.lang.say("act-except-hint"),
            "days" => self.lang.say("act-days-hint"),
            "minutes" => self.lang.say("act-minutes-hint"),
            "reason_ko" => self.lang.say("act-reason-hint"),
            _ => "",
        };
        self.all.push(Field {
            name,
            label,
            hint,
            value: self.form.field(name).to_owned(),
            input,
            is_required,
        });
    }

    fn choice(&self, name: &str, options: &[(&str, &str)]) -> Input {
        let typed = self.form.field(name);
        let option = |(value, words): &(&str, &str)| {
            ((*value).to_owned(), (*words).to_owned(), *value == typed)
        };
        Input::Choice(options.iter().map(option).collect())
    }

    fn campaign(&mut self) {
        let service = &self.page.staff.service;
        let bounds = &self.page.staff.account.bounds;
        let offers = service.shared.offers().clone();
        let own = &self.here.offer.catalog.campaign.id;
        let ids = offers.iter().map(|offer| &offer.catalog.campaign.id);
        let ids = ids.filter(|id| bounds.has_campaign(id.as_str()));
        let options = ids.map(|id| (id.to_string(), id.to_string(), id == own));
        let options = options.collect();
        let label = self.lang.say("propose-campaign");
        self.add("campaign", label, Input::Choice(options), true);
    }

    fn vaccine(&mut self, is_required: bool) {
        let mut options = Vec::new();
        if !is_required {
            options.push(("", self.lang.say("act-every-vaccine")));
        }
        let kinds = &self.here.offer.catalog.campaign.vaccines;
        options.extend(
            kinds
                .iter()
                .map(|kind| (kind.id.as_str(), kind.id.as_str())),
        );
        let input = self.choice("vaccine", &options);
        self.add("vaccine", self.lang.say("act-vaccine"), input, is_required);
    }

    fn range(&mut self) {
        self.campaign();
        let lang = self.lang;
        let is_bound = !self.page.staff.account.bounds.sites.is_empty();
        self.add("sites", lang.say("act-sites"), Input::Text, is_bound);
        self.add("from", lang.say("act-from"), Input::Date, true);
        self.add("until", lang.say("act-until"), Input::Date, true);
    }

    fn times(&mut self) {
        let lang = self.lang;
        self.add("time_from", lang.say("act-time-from"), Input::Time, false);
        self.add("time_until", lang.say("act-time-until"), Input::Time, false);
    }

    fn seats(&mut self) {
        let lang = self.lang;
        for (name, label) in POOLS {
            self.add(name, lang.say(label), Input::Number, name == "public");
        }
    }

    fn plan(&mut self) {
        let lang = self.lang;
        let askings = [
            ("offered", lang.say("asking-offered")),
            ("moved", lang.say("asking-moved")),
            ("telephoned", lang.say("asking-telephoned")),
        ];
        let input = self.choice("asking", &askings);
        self.add("asking", lang.say("act-asking"), input, true);
        let prefers = [
            ("same_site", lang.say("prefer-same-site")),
            ("same_day", lang.say("prefer-same-day")),
        ];
        let input = self.choice("prefer", &prefers);
        self.add("prefer", lang.say("act-prefer"), input, true);
        self.add(
            "answer_until",
            lang.say("act-answer-until"),
            Input::Instant,
            false,
        );
        let unanswered = [
            ("telephoned", lang.say("unanswered-telephoned")),
            ("moved", lang.say("unanswered-moved")),
        ];
        let input = self.choice("unanswered", &unanswered);
        self.add("unanswered", lang.say("act-unanswered"), input, true);
        self.add("reason_ko", lang.say("act-reason-ko"), Input::Text, true);
        self.add("reason_en", lang.say("act-reason-en"), Input::Text, false);
    }

    fn weekdays(&mut self) {
        let words = [
            "weekday-1",
            "weekday-2",
            "weekday-3",
            "weekday-4",
            "weekday-5",
            "weekday-6",
            "weekday-7",
        ];
        // Monday to Friday, until something else was sent: a link to the form names its campaign
        // and site alone.
        let is_new = !self.form.has("reason");
        let boxes = words.iter().zip(1..).map(|(words, day)| {
            let name = format!("day-{day}");
            let is_ticked = self.form.has(&name) || (is_new && day <= 5);
            (name, self.lang.say(words).to_owned(), is_ticked)
        });
        let boxes = Input::Boxes(boxes.collect());
        self.add("weekdays", self.lang.say("act-weekdays"), boxes, false);
    }
}

/// Fields of seats, and their words.
pub const POOLS: [(&str, &str); 5] = [
    ("public", "pool-public"),
    ("assisted", "pool-assisted"),
    ("partner", "pool-partner"),
    ("walk_in", "pool-walk-in"),
    ("later", "pool-later"),
];

fn fields(kind: Kind, page: &Page<Proposers>, form: &Form, here: &Here) -> Vec<Field> {
    let lang = page.lang;
    let mut fields = Fields {
        lang,
        form,
        here,
        page,
        all: Vec::new(),
    };
    match kind {
        Kind::Close => {
            fields.range();
            fields.times();
            fields.vaccine(false);
            fields.plan();
        }
        Kind::Reopen => {
            fields.range();
            fields.times();
            fields.vaccine(false);
        }
        Kind::Retime => {
            fields.range();
            fields.times();
            fields.vaccine(false);
            fields.add("minutes", lang.say("act-minutes"), Input::Text, true);
            fields.add("reason_ko", lang.say("act-reason-ko"), Input::Text, true);
            fields.add("reason_en", lang.say("act-reason-en"), Input::Text, false);
        }
        Kind::Hours => {
            fields.range();
            fields.vaccine(true);
            fields.weekdays();
            fields.add("except", lang.say("act-except"), Input::Text, false);
            fields.add("spans", lang.say("act-spans"), Input::Text, true);
            fields.add("every_min", lang.say("act-every-min"), Input::Number, true);
            fields.seats();
        }
        Kind::Split => {
            fields.range();
            fields.vaccine(false);
            fields.add("at", lang.say("act-at"), Input::Lines, true);
            let rules = [
                ("next", lang.say("rollover-next")),
                ("last", lang.say("rollover-last")),
            ];
            let input = fields.choice("rollover", &rules);
            fields.add("rollover", lang.say("act-rollover"), input, true);
        }
        Kind::Interval => {
            fields.campaign();
            fields.vaccine(true);
            fields.add("days", lang.say("act-days"), Input::Number, true);
        }
    }
    fields.all
}

/// What the form proposes: the proposal and its text.
fn wanted(kind: Kind, form: &Form, here: &Here) -> Result<(Proposal, String), Vec<String>> {
    let field = |(name, why): wanted::Fault| vec![format!("{name}: {why}")];
    let catalog = &here.offer.catalog;
    let campaign: CampaignId = catalog.campaign.id.clone();
    let zone = &catalog.campaign.zone;
    let some = |name: &str| Some(form.field(name).to_owned()).filter(|text| !text.is_empty());
    let range = || RangeRequest {
        sites: words_of(form.field("sites")),
        from: form.field("from").to_owned(),
        until: form.field("until").to_owned(),
        vaccine: some("vaccine"),
        time_from: some("time_from"),
        time_until: some("time_until"),
    };
    Ok(match kind {
        Kind::Close => {
            let plan = PlanRequest {
                asking: form.field("asking").to_owned(),
                prefer: some("prefer"),
                reason: form.field("reason_ko").to_owned(),
                reason_en: some("reason_en"),
                until: some("answer_until"),
                unanswered: some("unanswered"),
            };
            let what = Proposal::Close {
                campaign,
                range: range().range().map_err(field)?,
                plan: plan.plan(zone).map_err(field)?,
            };
            (what, String::new())
        }
        Kind::Reopen => {
            let range = range().range().map_err(field)?;
            (Proposal::Reopen { campaign, range }, String::new())
        }
        Kind::Retime => {
            let minutes = form.field("minutes").trim().parse().ok();
            let minutes =
                minutes.ok_or_else(|| vec!["minutes: must be a number as 30 or -30".to_owned()])?;
            let what = Proposal::Retime {
                campaign,
                range: range().range().map_err(field)?,
                minutes,
                reason: wanted::notice(form.field("reason_ko"), some("reason_en").as_deref()),
            };
            (what, String::new())
        }
        Kind::Split => {
            let at = form
                .field("at")
                .lines()
                .filter(|line| !line.trim().is_empty());
            let at = at.map(|text| wanted::instant("at", text, zone));
            let what = Proposal::Split {
                campaign,
                range: range().range().map_err(field)?,
                at: at.collect::<Result<_, _>>().map_err(field)?,
                rollover: wanted::rollover(form.field("rollover")).map_err(field)?,
            };
            (what, String::new())
        }
        Kind::Hours => {
            let hours = hours_of(form, range()).map_err(field)?;
            let text = hours::text(catalog, &hours)?;
            (Proposal::Slots { campaign }, text)
        }
        Kind::Interval => {
            let days = form.number("days");
            let days = days.ok_or_else(|| vec!["days: must be a number".to_owned()])?;
            let source = catalog
                .versions
                .last()
                .map_or("", |version| &version.source);
            let text = text_with_interval(source, form.field("vaccine"), days);
            let text = text.ok_or_else(|| {
                vec!["the file in force has no such vaccine: propose a file instead".to_owned()]
            })?;
            (Proposal::Campaign, text)
        }
    })
}

fn hours_of(form: &Form, range: RangeRequest) -> Result<hours::Hours, wanted::Fault> {
    let spans = words_of(form.field("spans")).into_iter().map(|span| {
        let ends = span.split_once(['-', '–', '~']);
        let (from, until) = ends.ok_or_else(|| ("spans", "must be as 09:00-12:00".to_owned()))?;
        Ok([from.to_owned(), until.to_owned()])
    });
    let seats = |name: &'static str| match form.field(name) {
        "" => Ok(0),
        _ => {
            let seats = form.number(name);
            seats.ok_or_else(|| (name, "must be a number".to_owned()))
        }
    };
    let every_min = form.number("every_min");
    let asked = HoursRequest {
        range,
        weekdays: (1..=7)
            .filter(|day| form.has(&format!("day-{day}")))
            .collect(),
        except: words_of(form.field("except")),
        spans: spans.collect::<Result<_, _>>()?,
        every_min: every_min.ok_or_else(|| ("every_min", "must be a number".to_owned()))?,
        capacity: SeatsByPool {
            public: seats("public")?,
            assisted: seats("assisted")?,
            partner: seats("partner")?,
            walk_in: seats("walk_in")?,
            later: seats("later")?,
        },
    };
    asked.hours()
}

/// Words between commas and white space.
fn words_of(text: &str) -> Vec<String> {
    let words = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

fn again(
    page: &Page<Proposers>,
    kind: Kind,
    form: &Form,
    (trouble, faults): (Option<Trouble>, Vec<String>),
    seen: Option<EffectShown>,
) -> HttpResponse {
    let lang = page.lang;
    let Some(here) = campaign_of(page, form) else {
        let trouble = page.trouble(DeskRefused::NotFound);
        let account = Some(&page.staff.account);
        return super::told(lang, account, StatusCode::NOT_FOUND, trouble);
    };
    let status = if trouble.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let template = ActPage {
        f: page.frame(&format!("/propose/{}", kind.name()), kind.help()),
        trouble,
        faults,
        title: kind.title(lang),
        kind: kind.name(),
        fields: fields(kind, page, form, &here),
        due: form.field("due").to_owned(),
        reason: form.field("reason").to_owned(),
        seen,
    };
    shown_with(lang, status, &template)
}

fn no_kind(page: &Page<Proposers>) -> HttpResponse {
    let trouble = page.trouble(DeskRefused::NotFound);
    let account = Some(&page.staff.account);
    super::told(page.lang, account, StatusCode::NOT_FOUND, trouble)
}

async fn form_page(page: Page<Proposers>, path: Path) -> HttpResponse {
    let Some(kind) = path.get("kind").and_then(Kind::named) else {
        return no_kind(&page);
    };
    let form = Form::of_address(&path.0);
    again(&page, kind, &form, (None, Vec::new()), None)
}

async fn sent(page: Page<Proposers>, (path, body): (Path, read::Bytes)) -> HttpResponse {
    let form = Form::of(body);
    let Some(kind) = path.get("kind").and_then(Kind::named) else {
        return no_kind(&page);
    };
    let Some(here) = campaign_of(&page, &form) else {
        return no_kind(&page);
    };
    let refused = |faults: Vec<String>| {
        let trouble = page.trouble(DeskRefused::Faults(Vec::new()));
        again(&page, kind, &form, (Some(trouble), faults), None)
    };
    let (what, text) = match wanted(kind, &form, &here) {
        Ok(wanted) => wanted,
        Err(faults) => return refused(faults),
    };
    let (service, account) = (&page.staff.service, &page.staff.account);
    if !form.has("propose") {
        return match service
            .preview(account, &page.staff.from(), what, text)
            .await
        {
            Ok(effect) if effect.faults.is_empty() => {
                let seen = EffectShown::of(page.lang, &effect);
                again(&page, kind, &form, (None, Vec::new()), Some(seen))
            }
            Ok(effect) => refused(effect.faults),
            Err(why) => {
                let trouble = page.trouble(why);
                again(&page, kind, &form, (Some(trouble), Vec::new()), None)
            }
        };
    }
    let due = match form.field("due") {
        "" => Ok(None),
        text => wanted::instant("due", text, &here.offer.catalog.campaign.zone).map(Some),
    };
    let due = match due {
        Ok(due) => due,
        Err((name, why)) => return refused(vec![format!("{name}: {why}")]),
    };
    let proposed = service.propose(account, what, text, form.field("reason"), due);
    match proposed.await {
        Ok((number, _)) => onward(&page.to(&format!("/proposals/{number}"))),
        Err(DeskRefused::Faults(faults)) => refused(faults),
        Err(why) => {
            let trouble = page.trouble(why);
            again(&page, kind, &form, (Some(trouble), Vec::new()), None)
        }
    }
}
