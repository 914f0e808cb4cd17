//! The board: one small prepared answer, the same bytes for everyone, replaced once a second.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// The server's clock was set back: its time, and so this board, stands still until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_still_until: Option<String>,
    /// The SHA-256 of the seed of the next draw, in hex.
    pub draw_commitment: Option<String>,
    /// The seed of the last draw: its SHA-256 was shown here before the lobby opened.
    pub draw_seed: Option<String>,
}

/// A prepared answer and the name of its bytes.
#[derive(Debug, Default)]
pub struct Board {
    pub view: BoardView,
    pub json: Vec<u8>,
    pub etag: String,
}

impl Board {
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
