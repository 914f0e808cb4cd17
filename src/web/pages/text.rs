//! The agency's longer texts as pages show them: paragraphs, and lists of lines that begin with a
//! dash.

pub enum Block {
    Paragraph(String),
    List(Vec<String>),
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
