//! How the pages of a campaign look: the shared style, with the agency's colour and logo.
//!
//! Made once for each version of an agency's file. What a page holds of it inside is allowed by its
//! hash; the rest has an address with its hash in it, so that browsers keep it for ever.

use std::io::Write as _;
use std::sync::{Arc, LazyLock, Weak};

use crate::crypto::sha256;
use actix_web::web::Bytes;
use arc_swap::ArcSwap;
use data_encoding::{BASE64, HEXLOWER};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::assets::{self, Asset};
use crate::domain::agency::{AgencyVersion, Colour, LogoKind};

pub struct Look {
    /// The style of a page that has it inside.
    pub frame: String,
    /// The address of the style sheet of the others.
    pub style: String,
    pub logo: Option<LogoView>,
    /// What is served of it.
    files: Vec<File>,
}

#[derive(Clone)]
pub struct LogoView {
    pub path: String,
    pub width: u32,
    pub height: u32,
}

/// A file under its address.
#[derive(Clone)]
pub struct File {
    path: String,
    pub kind: &'static str,
    pub plain: Bytes,
    /// None for what is packed already.
    pub gzip: Option<Bytes>,
}

/// The looks of the agencies in force, each as long as somebody has its version.
static LOOKS: LazyLock<ArcSwap<Vec<Known>>> = LazyLock::new(ArcSwap::default);

/// An agency's version, and how its pages look.
type Known = (Weak<AgencyVersion>, Arc<Look>);

impl Look {
    /// Of the pages of an agency, or of pages whose agency has said nothing.
    pub fn of(agency: Option<&Arc<AgencyVersion>>) -> Arc<Self> {
        static PLAIN: LazyLock<Arc<Look>> = LazyLock::new(|| Arc::new(Look::plain()));
        let Some(agency) = agency else {
            return Arc::clone(&PLAIN);
        };
        let known = |looks: &[Known]| {
            let its = |(known, _): &&(Weak<_>, _)| known.as_ptr() == Arc::as_ptr(agency);
            looks.iter().find(its).map(|(_, look)| Arc::clone(look))
        };
        if let Some(look) = known(&LOOKS.load()) {
            return look;
        }
        let look = Arc::new(Self::made_of(agency));
        LOOKS.rcu(|looks| {
            let used = looks.iter().filter(|(known, _)| known.strong_count() > 0);
            let mut looks: Vec<_> = used.cloned().collect();
            if known(&looks).is_none() {
                looks.push((Arc::downgrade(agency), Arc::clone(&look)));
            }
            looks
        });
        look
    }

    fn plain() -> Self {
        Self {
            frame: assets::named("frame.css").text().to_owned(),
            style: assets::named("page.css").path.to_owned(),
            logo: None,
            files: Vec::new(),
        }
    }

    fn made_of(version: &AgencyVersion) -> Self {
        let agency = &version.agency;
        let mut look = Self::plain();
        if let Some(colour) = agency.colour {
            let own = accents(colour);
            look.frame.push_str(&own);
            let sheet = assets::named("page.css").text().to_owned() + &own;
            let file = File::new("page", "css", "text/css; charset=utf-8", sheet.into_bytes());
            look.style.clone_from(&file.path);
            look.files.push(file);
        }
        if let Some(logo) = &agency.logo {
            let (ending, kind) = match logo.kind {
                LogoKind::Svg => ("svg", "image/svg+xml"),
                LogoKind::Png => ("png", "image/png"),
            };
            let file = File::new("logo", ending, kind, logo.bytes.clone());
            look.logo = Some(LogoView {
                path: file.path.clone(),
                width: logo.width,
                height: logo.height,
            });
            look.files.push(file);
        }
        look
    }

    /// What it has under this address.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// A policy that allows this style and a script inside a page, by what they hold.
    pub fn policy(&self, script: Option<&Asset>) -> String {
        let hash = |text: &str| {
            let hash = sha256(text.as_bytes());
            format!(" 'sha256-{}'", BASE64.encode(&hash))
        };
        // The waiting room's icon is empty, so that nothing is asked for beside it.
        let image = if script.is_some() { " data:" } else { "" };
        let script = script.map_or_else(String::new, |script| hash(script.text()));
        let style = hash(&self.frame);
        format!(
            "default-src 'none'; style-src 'self'{style}; script-src 'self'{script}; \
             img-src 'self'{image}; connect-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'"
        )
    }
}

impl File {
    fn new(stem: &str, ending: &str, kind: &'static str, plain: Vec<u8>) -> Self {
        let hash = sha256(&plain);
        let hash = HEXLOWER.encode(&hash[..8]);
        let packed = (ending != "png").then(|| {
            let mut packer = GzEncoder::new(Vec::new(), Compression::best());
            packer.write_all(&plain).and_then(|()| packer.finish())
        });
        Self {
            path: format!("/assets/{stem}.{hash}.{ending}"),
            kind,
            gzip: packed.and_then(Result::ok).map(Bytes::from),
            plain: plain.into(),
        }
    }
}

/// The agency's colour in the place of the accent, for each wish that people can have.
fn accents(colour: Colour) -> String {
    let (dark, more) = (colour.in_the_dark(), colour.with_more_contrast());
    format!(
        ":root{{--accent:{colour}}}\
         @media(prefers-contrast:more){{:root{{--accent:{more}}}}}\
         @media(prefers-color-scheme:dark){{:root{{--accent:{dark}}}}}\
         @media(forced-colors:active){{:root{{--accent:LinkText}}}}"
    )
}
