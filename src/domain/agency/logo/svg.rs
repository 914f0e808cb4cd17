//! Reads an SVG and writes it anew from a list of elements and attributes. What is not on the list
//! is refused by name: a logo that lost a part without a word would not be the agency's logo.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use roxmltree::{Document, Node, ParsingOptions};

use super::{Logo, LogoKind};

const SVG: &str = "http://www.w3.org/2000/svg";
/// A simple drawing has some hundred elements.
const NODES_MAX: u32 = 2_000;
const DEPTH_MAX: usize = 16;
/// Units on either side: larger ones are a mistake.
const SIDE_MAX: f64 = 100_000.0;

const ELEMENTS: &[&str] = &[
    "svg",
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "defs",
    "linearGradient",
    "radialGradient",
    "stop",
    "title",
];

const ATTRIBUTES: &[&str] = &[
    // Geometry.
    "viewBox",
    "preserveAspectRatio",
    "width",
    "height",
    "x",
    "y",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "x1",
    "y1",
    "x2",
    "y2",
    "points",
    "d",
    "transform",
    // Paint.
    "fill",
    "fill-rule",
    "fill-opacity",
    "stroke",
    "stroke-width",
    "stroke-opacity",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "stroke-dasharray",
    "stroke-dashoffset",
    "opacity",
    // Gradients.
    "id",
    "fx",
    "fy",
    "fr",
    "gradientUnits",
    "gradientTransform",
    "spreadMethod",
    "offset",
    "stop-color",
    "stop-opacity",
];

/// What editors write and a browser does without.
const LEFT_OUT: &[&str] = &["version", "baseProfile"];

const TO_DO: &str = "save it as plain SVG, text as paths";

type Written = Result<(), String>;

pub(super) fn read(text: &str) -> Result<Logo, String> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES_MAX,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options);
    let document = document.map_err(|fault| format!("can't be read as SVG ({fault}): {TO_DO}"))?;
    let root = document.root_element();
    if !is_svg(root) || root.tag_name().name() != "svg" {
        return Err(format!(
            "is no SVG: its root must be <svg xmlns=\"{SVG}\">; {TO_DO}"
        ));
    }
    let (width, height) = size(root)?;
    let mut writer = Writer {
        out: String::new(),
        gradients: document.descendants().filter_map(gradient).collect(),
    };
    writer.element(root, 0)?;
    Ok(Logo {
        kind: LogoKind::Svg,
        bytes: writer.out.into_bytes(),
        width,
        height,
    })
}

fn is_svg(node: Node) -> bool {
    node.tag_name().namespace() == Some(SVG)
}

fn is_gradient(node: Node) -> bool {
    matches!(node.tag_name().name(), "linearGradient" | "radialGradient")
}

/// The name by which a gradient is used.
fn gradient(node: Node) -> Option<String> {
    let id = node.attribute("id").filter(|_| is_gradient(node))?;
    let is_plain = id
        .bytes()
        .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    (is_plain && !id.is_empty()).then(|| id.to_owned())
}

/// Width and height by the view box, or by the attributes of those names.
fn size(root: Node) -> Result<(u32, u32), String> {
    let number = |text: &str| text.trim().trim_end_matches("px").parse::<f64>().ok();
    let side = |name: &str| root.attribute(name).and_then(number);
    let sides = match root.attribute("viewBox") {
        Some(text) => {
            let parts = text
                .split([' ', ',', '\t', '\n'])
                .filter(|part| !part.is_empty());
            let numbers: Option<Vec<f64>> = parts.map(number).collect();
            match numbers.as_deref() {
                Some(&[_, _, width, height]) => Some((width, height)),
                _ => None,
            }
        }
        None => side("width").zip(side("height")),
    };
    let fits = |side: f64| side > 0.0 && side <= SIDE_MAX;
    let sides = sides.filter(|(width, height)| fits(*width) && fits(*height));
    let (width, height) = sides.ok_or("needs a viewBox with a width and a height above 0")?;
    Ok((width.ceil() as u32, height.ceil() as u32))
}

struct Writer {
    out: String,
    gradients: BTreeSet<String>,
}

impl Writer {
    fn element(&mut self, node: Node, depth: usize) -> Written {
        let name = node.tag_name().name();
        if !is_svg(node) || !ELEMENTS.contains(&name) {
            return Err(format!("has <{name}>, which a logo may not have: {TO_DO}"));
        }
        if depth > DEPTH_MAX {
            return Err(format!(
                "has groups in groups, more than {DEPTH_MAX} deep: {TO_DO}"
            ));
        }
        if (name == "svg") != (depth == 0) {
            return Err(format!("has an <svg> in its <svg>: {TO_DO}"));
        }
        self.out.push('<');
        self.out.push_str(name);
        if depth == 0 {
            let _ = write!(self.out, " xmlns=\"{SVG}\"");
        }
        self.attributes(node, name)?;
        self.out.push('>');
        for child in node.children() {
            self.child(child, name, depth)?;
        }
        let _ = write!(self.out, "</{name}>");
        Ok(())
    }

    fn child(&mut self, child: Node, parent: &str, depth: usize) -> Written {
        if child.is_element() {
            if parent == "title" {
                return Err(format!("has an element in its <title>: {TO_DO}"));
            }
            return self.element(child, depth + 1);
        }
        let text = child.text().filter(|_| child.is_text()).unwrap_or_default();
        if parent == "title" {
            self.escaped(text.split_whitespace());
        } else if !text.trim().is_empty() {
            return Err(format!("has text in <{parent}>: {TO_DO}"));
        }
        Ok(())
    }

    fn attributes(&mut self, node: Node, element: &str) -> Written {
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            let is_left_out = LEFT_OUT.contains(&name) || (name == "id" && !is_gradient(node));
            if is_left_out && attribute.namespace().is_none() {
                continue;
            }
            if attribute.namespace().is_some() || !ATTRIBUTES.contains(&name) {
                return Err(format!(
                    "has the attribute {name} in <{element}>, which a logo may not have: {TO_DO}"
                ));
            }
            if !self.is_harmless(name, value) {
                return Err(format!(
                    "has a value of {name} in <{element}> that a logo may not have: {TO_DO}"
                ));
            }
            let _ = write!(self.out, " {name}=\"");
            self.escaped(value.split_whitespace());
            self.out.push('"');
        }
        Ok(())
    }

    /// Numbers, names and colours; `url(…)` only for a paint, and only of a gradient in the file.
    fn is_harmless(&self, name: &str, value: &str) -> bool {
        if name == "id" {
            return self.gradients.contains(value);
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || " \t\r\n.,+-()%#".contains(c);
        if !value.to_ascii_lowercase().contains("url") {
            return value.chars().all(plain);
        }
        let used = value.trim().strip_prefix("url(#");
        let used = used.and_then(|rest| rest.strip_suffix(')'));
        let is_paint = matches!(name, "fill" | "stroke");
        is_paint && used.is_some_and(|id| self.gradients.contains(id))
    }

    /// Writes words with one space between them, and with the characters of markup escaped.
    fn escaped<'w>(&mut self, words: impl Iterator<Item = &'w str>) {
        for (at, word) in words.enumerate() {
            if at > 0 {
                self.out.push(' ');
            }
            for c in word.chars() {
                match c {
                    '&' => self.out.push_str("&amp;"),
                    '<' => self.out.push_str("&lt;"),
                    '>' => self.out.push_str("&gt;"),
                    '"' => self.out.push_str("&quot;"),
                    c if crate::domain::text::unfit(c).is_some() => self.out.push('\u{fffd}'),
                    c => self.out.push(c),
                }
            }
        }
    }
}
