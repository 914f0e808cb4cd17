//! Texts from outside as pages show them: with their language where it is not the page's, and the
//! agency's longer ones as paragraphs and as lists of lines that begin with a dash.

use std::fmt;

use super::prepared::without_holes;
use crate::domain::agency::Texts;
use crate::domain::line::Notice;
use crate::web::words::Lang;

/// A text that may be in another language than the page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InLanguage {
    pub words: String,
    pub lang: Option<&'static str>,
}

impl InLanguage {
    /// A name or address on a page of this language: Korean if it has a Korean letter.
    pub fn of(page: Lang, words: impl Into<String>) -> Self {
        let words = words.into();
        let is_korean = words
            .chars()
            .any(|letter| matches!(letter, '가'..='힣' | 'ㄱ'..='ㅣ'));
        let lang = (is_korean && page != Lang::KO).then(|| Lang::KO.tag());
        Self { words, lang }
    }

    /// What operators say, for a reader of this language.
    pub fn notice(page: Lang, notice: &Notice) -> Self {
        let (words, other) = page.notice(notice);
        Self {
            words: words.to_owned(),
            lang: other.map(Lang::tag),
        }
    }

    /// The same for a page with holes, which the text must not make.
    pub fn without_holes(self) -> Self {
        let words = without_holes(&self.words).into_owned();
        Self { words, ..self }
    }

    /// What the agency says, for a reader of this language.
    pub fn agency(page: Lang, texts: &Texts) -> Self {
        let has = |tag: &str| texts.iter().any(|(known, _)| known == tag);
        Self {
            words: texts.of(page.tag()).to_owned(),
            lang: (!has(page.tag())).then(|| Lang::EN.tag()),
        }
    }

    /// The attribute of the element around it, which tells a screen reader how to speak.
    pub fn attribute(&self) -> String {
        attribute(self.lang)
    }
}

fn attribute(lang: Option<&str>) -> String {
    let lang = lang.map(|lang| format!(" lang=\"{lang}\""));
    lang.unwrap_or_default()
}

impl From<String> for InLanguage {
    fn from(words: String) -> Self {
        Self { words, lang: None }
    }
}

impl fmt::Display for InLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

pub enum Block {
    Paragraph(String),
    List(Vec<String>),
}

/// A longer text of the agency: its blocks, and their language where it is not the page's.
pub struct Told {
    pub blocks: Vec<Block>,
    pub lang: Option<&'static str>,
}

impl Told {
    pub fn of(page: Lang, texts: &Texts) -> Self {
        let InLanguage { words, lang } = InLanguage::agency(page, texts);
        Self {
            blocks: blocks(&words),
            lang,
        }
    }

    /// The attribute of the element around it.
    pub fn attribute(&self) -> String {
        attribute(self.lang)
    }
}

/// The blocks of a text; a blank line ends one.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            is_open = false;
            continue;
        }
        match (line.strip_prefix("- "), blocks.last_mut()) {
            (Some(item), Some(Block::List(items))) if is_open => items.push(item.to_owned()),
            (Some(item), _) => blocks.push(Block::List(vec![item.to_owned()])),
            (None, Some(Block::Paragraph(words))) if is_open => {
                words.push(' ');
                words.push_str(line);
            }
            (None, _) => blocks.push(Block::Paragraph(line.to_owned())),
        }
        is_open = true;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korean_is_marked_on_english_pages_alone() {
        let marked = |page, text: &str| !InLanguage::of(page, text).attribute().is_empty();
        assert!(marked(Lang::EN, "서울 종로구 1"));
        assert!(!marked(Lang::KO, "서울 종로구 1"));
        assert!(!marked(Lang::EN, "Jongno-gu 1"));
        let told = |en: Option<&str>| Notice {
            text: "점검".to_owned(),
            en: en.map(str::to_owned),
        };
        let notice = InLanguage::notice(Lang::EN, &told(None));
        assert_eq!((&*notice.words, notice.lang), ("점검", Some("ko")));
        let notice = InLanguage::notice(Lang::EN, &told(Some("maintenance")));
        assert_eq!((&*notice.words, notice.lang), ("maintenance", None));
    }

    #[test]
    fn lines_become_paragraphs_and_lists() {
        let text = "첫 줄\n이어서\n\n- 하나\n- 둘\n\n끝";
        let told: Vec<String> = blocks(text)
            .into_iter()
            .map(|block| match block {
                Block::Paragraph(words) => words,
                Block::List(items) => format!("[{}]", items.join("|")),
            })
            .collect();
        assert_eq!(told, ["첫 줄 이어서", "[하나|둘]", "끝"]);
        assert!(blocks(" \n\n").is_empty());
    }
}
