//! Acts at the gate: what one would do to how many people, and doing it.

use actix_web::{HttpRequest, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{bad_field, ok};
use crate::domain::entry::GateAct;
use crate::domain::line::Notice;
use crate::service::desk::DeskRefused;
use crate::service::desk::gate::{GatePreview, GateSet};
use crate::web::desk::staff::{Answered, Operators, Routes, Staff};
use crate::web::problem::{Problem, ProblemView};
use crate::web::read;

pub fn routes(routes: &mut Routes<'_>) {
    routes.api::<Operators, _, _, _>(preview, __path_preview);
    routes.api::<Operators, _, _, _>(act, __path_act);
}

/// What is to be done at a gate. Each act takes its own fields and no others.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GateRequest {
    /// The campaign's id.
    #[schema(max_length = 64)]
    pub campaign: String,
    /// Why, in words that the public is not told. Needed for every act but `pause` and `drain`.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// With `pause` or `drain` its reason, with `message` the message, as people read it; in the
    /// campaign's own language. An empty message takes the one before away.
    #[serde(default)]
    pub text: Option<String>,
    /// The same in English. Needed with `text`, unless that is empty.
    #[serde(default)]
    pub en: Option<String>,
    /// With `pause`: whether sessions stand still too, so that nobody's time runs out.
    #[serde(default)]
    pub freeze: Option<bool>,
    /// With `rate`: people a second, 1 to 1,000,000.
    #[serde(default)]
    pub admit_per_s: Option<u32>,
    /// With `active`: sessions at the same time, from 1.
    #[serde(default)]
    pub active_max: Option<u32>,
}

impl GateRequest {
    /// The act of that name; none if there is no such act.
    fn act(&self, staff: &Staff<Operators>, name: &str) -> Result<GateAct, Problem> {
        let takes: &[&str] = match name {
            "pause" => &["text", "en", "freeze"],
            "message" | "drain" => &["text", "en"],
            "rate" => &["admit_per_s"],
            "active" => &["active_max"],
            "resume" => &[],
            _ => return Err(staff.problem(DeskRefused::NotFound)),
        };
        let given = [
            ("text", self.text.is_some()),
            ("en", self.en.is_some()),
            ("freeze", self.freeze.is_some()),
            ("admit_per_s", self.admit_per_s.is_some()),
            ("active_max", self.active_max.is_some()),
        ];
        let foreign = given
            .iter()
            .find(|(field, is)| *is && !takes.contains(field));
        if let Some((field, _)) = foreign {
            return Err(bad_field(staff, field, format!("is no field of `{name}`")));
        }
        let missing = |field: &str| bad_field(staff, field, format!("is needed with `{name}`"));
        let said = || {
            let text = self.text.clone().ok_or_else(|| missing("text"))?;
            let en = self.en.clone().ok_or_else(|| missing("en"))?;
            Ok(Notice { text, en: Some(en) })
        };
        Ok(match name {
            "pause" => GateAct::PauseSaid {
                reason: said()?,
                freezes: self.freeze.unwrap_or(false),
            },
            "drain" => GateAct::Drain { reason: said()? },
            "message" if self.text.as_deref() == Some("") => GateAct::Message {
                text: String::new(),
            },
            "message" => GateAct::MessageSaid { message: said()? },
            "rate" => GateAct::Rate {
                admit_per_s: self.admit_per_s.ok_or_else(|| missing("admit_per_s"))?,
            },
            "active" => GateAct::Active {
                active_max: self.active_max.ok_or_else(|| missing("active_max"))?,
            },
            _ => GateAct::Resume,
        })
    }
}

/// What an act would do to how many people, if it were done now.
#[utoipa::path(
    get,
    path = "/api/desk/v1/gate/preview",
    tag = "gate",
    params(
        ("act" = String, Query, description = "`pause`, `drain`, `resume`, `rate`, `active` or \
                                        `message`."),
        ("campaign" = String, Query, description = "The campaign's id."),
        ("text" = Option<String>, Query, description = "As when it is done."),
        ("en" = Option<String>, Query, description = "As when it is done."),
        ("freeze" = Option<bool>, Query, description = "As when it is done."),
        ("admit_per_s" = Option<u32>, Query, description = "As when it is done."),
        ("active_max" = Option<u32>, Query, description = "As when it is done.")
    ),
    responses(
        (status = 200, body = GatePreview, description = "What it would do."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_possible`, `not_found`, `invalid_request`, `signed_out`, \
                           `set_up_first`, `not_yours`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn preview(staff: Staff<Operators>, request: HttpRequest) -> Answered {
    let known = [
        "act",
        "campaign",
        "text",
        "en",
        "freeze",
        "admit_per_s",
        "active_max",
    ];
    let query = read::query(&request, &known)?;
    let text = |name: &str| query.get(name).cloned();
    let needed = |name: &str| text(name).ok_or_else(|| bad_field(&staff, name, "is needed"));
    let number = |name: &str| {
        let read = |text: String| text.parse::<u32>();
        let read = text(name).map(read).transpose();
        read.map_err(|_| bad_field(&staff, name, "is no number from 0 to 4,294,967,295"))
    };
    let freeze = match text("freeze").as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(bad_field(&staff, "freeze", "is neither `true` nor `false`")),
    };
    let asked = GateRequest {
        campaign: needed("campaign")?,
        reason: None,
        text: text("text"),
        en: text("en"),
        freeze,
        admit_per_s: number("admit_per_s")?,
        active_max: number("active_max")?,
    };
    let act = asked.act(&staff, &needed("act")?)?;
    let previewed = staff
        .service
        .preview_gate(&staff.account, &asked.campaign, &act);
    Ok(ok(&previewed.map_err(|refused| staff.problem(refused))?))
}

/// Acts at the gate; in force when it is answered.
///
/// `pause` calls nobody any more, `drain` calls nobody until the server was started anew, `resume`
/// goes on, `rate` and `active` set how many people come in
/// a second and how many can be in, `message` tells everybody something.
#[utoipa::path(
    post,
    path = "/api/desk/v1/gate/{act}",
    tag = "gate",
    params(("act" = String, Path,
        description = "`pause`, `drain`, `resume`, `rate`, `active` or `message`.")),
    request_body = GateRequest,
    responses(
        (status = 200, body = GateSet, description = "Done: what is set now."),
        (status = "4XX", body = ProblemView, content_type = "application/problem+json",
            description = "`not_possible`, `not_found`, `invalid_request`, `signed_out`, \
                           `set_up_first`, `not_yours`, `foreign_request`."),
        (status = "5XX", body = ProblemView, content_type = "application/problem+json",
            description = "`overloaded`, `outcome_unknown`.")
    ),
    security(("desk" = []), ("bearer" = []))
)]
async fn act(
    staff: Staff<Operators>,
    (request, name, body): (HttpRequest, web::Path<String>, read::Bytes),
) -> Answered {
    let asked: GateRequest = read::json(&request, body)?;
    let act = asked.act(&staff, &name)?;
    if asked.reason.is_none() && !matches!(name.as_str(), "pause" | "drain") {
        return Err(bad_field(
            &staff,
            "reason",
            "is needed: why, in words that the public is not told",
        ));
    }
    let reason = asked.reason.as_deref();
    let done = staff
        .service
        .act_at_gate(&staff.account, &asked.campaign, act, reason)
        .await;
    Ok(ok(&done.map_err(|refused| staff.problem(refused))?))
}
