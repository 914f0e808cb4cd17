//! How the pages of a campaign look: the shared style, with the agency's colour and logo in it.
//!
//! Made once for each version of the agency's file. What a page holds of it inside is allowed by
//! its hash; the rest has an address with its hash in it, so that browsers keep it for ever.

use std::sync::{Arc, LazyLock};

use data_encoding::BASE64;
use ring::digest::{SHA256, digest};

use super::assets::{self, Asset};

pub struct Look {
    /// The style of a page that has it inside.
    pub frame: String,
    /// The address of the style sheet of the others.
    pub style: String,
}

impl Look {
    /// Of pages whose agency has said nothing.
    pub fn plain() -> Arc<Self> {
        static PLAIN: LazyLock<Arc<Look>> = LazyLock::new(|| {
            Arc::new(Look {
                frame: assets::named("frame.css").text().to_owned(),
                style: assets::named("page.css").path.to_owned(),
            })
        });
        Arc::clone(&PLAIN)
    }

    /// A policy that allows this style and a script inside a page, by what they hold.
    pub fn policy(&self, script: Option<&Asset>) -> String {
        let hash = |text: &str| {
            let hash = digest(&SHA256, text.as_bytes());
            format!(" 'sha256-{}'", BASE64.encode(hash.as_ref()))
        };
        let script = script.map_or_else(String::new, |script| hash(script.text()));
        let style = hash(&self.frame);
        format!(
            "default-src 'none'; style-src 'self'{style}; script-src 'self'{script}; \
             img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'"
        )
    }
}
