//! A text in several languages.

/// A text in each of its languages, in the order of the file. A file gives at least `ko` and `en`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Texts(Vec<(String, String)>);

impl Texts {
    pub fn new(texts: Vec<(String, String)>) -> Self {
        Self(texts)
    }

    /// The text in a language, or else in English.
    pub fn of(&self, tag: &str) -> &str {
        let find = |wanted: &str| self.0.iter().find(|(known, _)| known == wanted);
        let found = find(tag).or_else(|| find("en")).or(self.0.first());
        found.map_or("", |(_, text)| text)
    }

    /// Each language's tag and text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(tag, text)| (tag.as_str(), text.as_str()))
    }

    /// Adds a language, or more to the text of the last one if it is of the same language.
    pub(super) fn push(&mut self, tag: &str, text: &str) {
        match self.0.last_mut() {
            Some((last, begun)) if last == tag => begun.push_str(text),
            _ => self.0.push((tag.to_owned(), text.to_owned())),
        }
    }
}
