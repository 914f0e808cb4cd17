//! The board: one small prepared answer, the same bytes for everyone, replaced once a second.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::campaign::{Campaign, Opening};
use crate::domain::line::windows::Plan;
use crate::domain::line::{Notice, PublicValue};

/// The public figures.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct BoardView {
    /// `before`, `lobby`, `open`, `paused` or `closed`.
    pub state: Cow<'static, str>,
    /// Numbers up to this one may go in.
    pub serving: u64,
    pub waiting: u64,
    pub admit_per_s: u32,
    pub as_of: String,
    /// What the operators say; why it is paused.
    pub message: Option<String>,
    /// The same in English, if the operators gave it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message_en: Option<String>,
    /// The server's clock was set back: its time, and so this board, stands still until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_still_until: Option<String>,
    /// The lines of the openings that are open, whose lobby is, or whose draw is committed to (of
    /// these the next eight); by the beginning of the opening. The figures above are those of all
    /// of them, and `serving` is that of the first that is open.
    #[serde(default)]
    pub lines: Vec<LineView>,
}

/// The public figures of one opening's line.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct LineView {
    pub opening: OpeningSpan,
    /// `before`, `lobby`, `open`, `paused` or `closed`.
    pub state: Cow<'static, str>,
    /// Numbers up to this one may go in.
    pub serving: u64,
    pub waiting: u64,
    /// The SHA-256 of the seed by which its lobby will be drawn, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draw_commitment: Option<String>,
    /// The seed itself, from the opening on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draw_seed: Option<String>,
    /// What goes into the draw beside the seed, if operators gave a public value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draw_value: Option<ValueView>,
    /// When its people may come, if its order is `windows` and the seed is shown. Each plan is of
    /// the lots up to the next one's first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[schema(required = false)]
    pub windows: Vec<PlanView>,
}

/// So many windows of one length that follow on each other, of people by their lots.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// 16 hex digits.
    pub first_lot: String,
    #[schema(format = DateTime)]
    pub from: String,
    pub window_s: u32,
    pub windows: u32,
}

impl PlanView {
    pub fn of(campaign: &Campaign, plan: &Plan) -> Self {
        Self {
            first_lot: format!("{:016x}", plan.first_lot),
            from: campaign.zone.rfc3339(plan.from),
            window_s: plan.basis.window_s,
            windows: plan.windows,
        }
    }
}

/// A public value of a draw, and where it can be looked up.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ValueView {
    pub value: String,
    pub source: String,
}

impl ValueView {
    pub fn of(public: PublicValue) -> Self {
        let PublicValue { value, source } = public;
        Self { value, source }
    }
}

/// When an opening is: from then, until (and not at) then.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct OpeningSpan {
    #[schema(format = DateTime)]
    pub from: String,
    #[schema(format = DateTime)]
    pub until: String,
}

impl OpeningSpan {
    pub fn of(campaign: &Campaign, opening: &Opening) -> Self {
        Self {
            from: campaign.zone.rfc3339(opening.from),
            until: campaign.zone.rfc3339(opening.until),
        }
    }
}

/// A prepared answer and the name of its bytes.
#[derive(Debug, Default)]
pub struct Board {
    pub view: BoardView,
    pub json: Vec<u8>,
    pub etag: String,
}

impl Board {
    /// What the operators say, and why it is paused.
    pub fn notice(&self) -> Option<Notice> {
        let text = self.view.message.clone()?;
        let en = self.view.message_en.clone();
        Some(Notice { text, en })
    }

    pub fn of(view: BoardView) -> Self {
        let json = serde_json::to_vec(&view).expect("a board has a JSON form");
        let hash = crate::domain::entry::Hash::of(&json).to_string();
        Self {
            view,
            json,
            etag: format!("\"{}\"", &hash[..16]),
        }
    }
}
