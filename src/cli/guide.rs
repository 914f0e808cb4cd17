//! `sumun guide`: the operator's guide of this version, as one HTML file.

use clap::ValueEnum;
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use serde_json::Value;

use super::Output;
use crate::domain::text::escaped;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum GuideLanguage {
    Ko,
    En,
}

impl GuideLanguage {
    fn source(self) -> &'static str {
        match self {
            Self::Ko => include_str!("../guide/guide.ko.md"),
            Self::En => include_str!("../guide/guide.en.md"),
        }
    }

    fn tag(self) -> &'static str {
        match self {
            Self::Ko => "ko",
            Self::En => "en",
        }
    }
}

pub fn run(language: GuideLanguage) -> Output {
    Output::done(page(language.source(), language.tag()), Value::Null)
}

/// Parsed twice: once for the table of contents, once for the text with its anchors.
fn page(source: &str, lang: &str) -> String {
    let options = Options::ENABLE_TABLES;
    let (mut contents, mut title, mut chapter) = (String::new(), String::new(), 0);
    let mut heading: Option<(HeadingLevel, String)> = None;
    for event in Parser::new_ext(source, options) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => heading = Some((level, String::new())),
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, words)) = &mut heading {
                    words.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => match heading.take() {
                Some((HeadingLevel::H1, words)) => title = words,
                Some((HeadingLevel::H2, words)) => {
                    chapter += 1;
                    let words = escaped(&words);
                    contents.push_str(&format!("<li><a href=\"#c{chapter}\">{words}</a></li>"));
                }
                _ => {}
            },
            _ => {}
        }
    }
    let mut chapter = 0;
    let anchored = Parser::new_ext(source, options).map(|event| match event {
        Event::Start(Tag::Heading {
            level: HeadingLevel::H2,
            classes,
            attrs,
            ..
        }) => {
            chapter += 1;
            Event::Start(Tag::Heading {
                level: HeadingLevel::H2,
                id: Some(format!("c{chapter}").into()),
                classes,
                attrs,
            })
        }
        other => other,
    });
    let mut body = String::new();
    html::push_html(&mut body, anchored);
    let (title, version) = (escaped(&title), env!("CARGO_PKG_VERSION"));
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} {version}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <nav><ol>{contents}</ol></nav>\n<main>\n{body}</main>\n</body>\n</html>"
    )
}

const STYLE: &str = "\
    :root{color-scheme:light dark}\
    body{margin:0 auto;max-width:52rem;padding:1rem;\
    font:1rem/1.6 'Apple SD Gothic Neo','Malgun Gothic','Noto Sans KR',system-ui,sans-serif}\
    pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:.75rem}\
    pre{background:#8882;border-radius:.25rem}\
    code{font-size:.9em}table{border-collapse:collapse;display:block;overflow-x:auto}\
    nav ol{list-style:none;padding:0}\
    th,td{border:1px solid #8888;padding:.25rem .5rem;text-align:start;vertical-align:top}\
    h2{border-top:1px solid #8888;padding-top:1rem}\
    @media print{nav{page-break-after:always}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_guides_are_whole_pages_with_the_same_chapters() {
        let page_of = |language: GuideLanguage| page(language.source(), language.tag());
        let (ko, en) = (page_of(GuideLanguage::Ko), page_of(GuideLanguage::En));
        let chapters = |page: &str| page.matches("<h2 id=").count();
        assert_eq!(chapters(&ko), chapters(&en));
        assert!(chapters(&ko) >= 8);
        for page in [&ko, &en] {
            assert_eq!(page.matches("<li><a href=\"#c").count(), chapters(page));
            assert!(!page.contains("<script") && !page.contains("http://www."));
        }
    }
}
