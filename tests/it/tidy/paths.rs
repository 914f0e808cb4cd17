//! Reads the paths that Rust source names, as the compiler does: `use` trees, `crate::`, `super::`
//! and `self::`, paths in code and in the arguments of macros, and names that a `use` gave.
//!
//! What it does not see: a path that a macro puts together, and a module under `#[path]` elsewhere
//! than where its file lies.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// Every source file under a folder of the project, with its text.
pub fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found.sort();
    found
}

/// A path that a file names, from the crate's root (`crate::gate::token`) or from another crate
/// (`redb::Database`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// The file, from `src` on.
    pub file: String,
    pub segments: Vec<String>,
    /// Under `#[cfg(test)]`, in the file or by the `mod` that declares the file.
    pub is_test: bool,
}

impl Named {
    pub fn shown(&self) -> String {
        self.segments.join("::")
    }

    /// Whether these segments stand somewhere in the path, in this order and side by side.
    pub fn has(&self, path: &str) -> bool {
        let wanted: Vec<&str> = path.split("::").collect();
        let mut runs = self.segments.windows(wanted.len());
        runs.any(|run| run == wanted)
    }

    /// Whether the path is this one or goes on behind it.
    pub fn begins_with(&self, path: &str) -> bool {
        let wanted: Vec<&str> = path.split("::").collect();
        self.segments.len() >= wanted.len()
            && self.segments.iter().zip(&wanted).all(|(a, b)| a == b)
    }
}

/// Every path that the files under `src` name.
pub fn named() -> Vec<Named> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    let mut tests = Vec::new();
    for (path, text) in sources("src") {
        let file = path.strip_prefix(root).unwrap().display().to_string();
        let read = read(&file, &text);
        tests.extend(read.test_modules);
        all.extend(
            read.named
                .into_iter()
                .map(|named| (module_of(&file), named)),
        );
    }
    let in_tests = |module: &[String]| tests.iter().any(|test| module.starts_with(test));
    let mark = |(module, named): (Vec<String>, Named)| Named {
        is_test: named.is_test || in_tests(&module),
        ..named
    };
    all.into_iter().map(mark).collect()
}

/// The module that a file is, from the crate's root: `src/gate/mod.rs` is `gate`.
fn module_of(file: &str) -> Vec<String> {
    let inner = file.strip_prefix("src/").unwrap_or(file);
    let inner = inner.strip_suffix(".rs").unwrap_or(inner);
    let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod") || inner == "lib" || inner == "main" {
        module.pop();
    }
    module
}

/// What one file names.
#[derive(Debug, Default)]
pub struct Read {
    pub named: Vec<Named>,
    /// Modules that the file declares for tests alone.
    pub test_modules: Vec<Vec<String>>,
}

/// Reads one file.
pub fn read(file: &str, text: &str) -> Read {
    let syntax = syn::parse_file(text).unwrap_or_else(|fault| panic!("{file}: {fault}"));
    let mut imports = Imports {
        module: module_of(file),
        names: BTreeMap::new(),
    };
    imports.visit_file(&syntax);
    let mut reader = Reader {
        file,
        module: module_of(file),
        names: imports.names,
        tests: 0,
        read: Read::default(),
    };
    reader.visit_file(&syntax);
    reader.read
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|condition| condition.is_ident("test"))
    })
}

/// A path from the crate's root, where it begins with `crate`, `self` or `super`.
fn from_root(module: &[String], segments: Vec<String>) -> Vec<String> {
    let mut from: Vec<String> = match segments.first().map(String::as_str) {
        Some("self" | "super") => module.to_vec(),
        _ => return segments,
    };
    let ups = segments
        .iter()
        .take_while(|s| *s == "self" || *s == "super");
    let ups: Vec<&String> = ups.collect();
    for _ in ups.iter().filter(|segment| **segment == "super") {
        from.pop();
    }
    let rest = segments.iter().skip(ups.len()).cloned();
    let root = std::iter::once("crate".to_owned());
    root.chain(from).chain(rest).collect()
}

/// The paths that a `use` tree names, each with the name that it is known by afterwards.
fn leaves(tree: &syn::UseTree, before: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let with = |ident: &syn::Ident| {
        let mut path = before.to_vec();
        // `use crate::gate::{self}` names `crate::gate`.
        if ident != "self" || before.is_empty() {
            path.push(ident.to_string());
        }
        path
    };
    match tree {
        syn::UseTree::Path(path) => leaves(&path.tree, &with(&path.ident), found),
        syn::UseTree::Name(name) => {
            let path = with(&name.ident);
            let known = path.last().cloned().unwrap_or_default();
            found.push((path, known));
        }
        syn::UseTree::Rename(name) => found.push((with(&name.ident), name.rename.to_string())),
        syn::UseTree::Glob(_) => {
            let mut path = before.to_vec();
            path.push("*".to_owned());
            found.push((path, String::new()));
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, before, found);
            }
        }
    }
}

/// First look at a file: which names its `use` lines give to what.
struct Imports {
    module: Vec<String>,
    names: BTreeMap<String, Vec<String>>,
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut found = Vec::new();
        leaves(&item.tree, &[], &mut found);
        for (path, known) in found {
            self.names.insert(known, from_root(&self.module, path));
        }
    }
}

/// Second look: every path, with the names of the first look put in.
struct Reader<'a> {
    file: &'a str,
    module: Vec<String>,
    names: BTreeMap<String, Vec<String>>,
    /// How many `#[cfg(test)]` it is under.
    tests: usize,
    read: Read,
}

impl Reader<'_> {
    fn note(&mut self, segments: Vec<String>) {
        let segments = from_root(&self.module, segments);
        self.read.named.push(Named {
            file: self.file.to_owned(),
            segments,
            is_test: self.tests > 0,
        });
    }

    /// Notes a path in code: its first name may be one that a `use` gave.
    fn note_in_code(&mut self, mut segments: Vec<String>) {
        if let Some(whole) = segments.first().and_then(|first| self.names.get(first)) {
            let rest = segments.split_off(1);
            segments = whole.iter().cloned().chain(rest).collect();
        }
        self.note(segments);
    }

    /// Paths between the tokens of a macro's or an attribute's arguments.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end(&mut path);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end(&mut path);
                    self.tokens(group.stream());
                    colons = 0;
                }
                // `#[serde(with = "crate::gate::text")]`
                TokenTree::Literal(literal) => {
                    self.end(&mut path);
                    let text = literal.to_string();
                    let text = text.trim_matches('"');
                    if text.starts_with("crate::") {
                        self.note(text.split("::").map(str::to_owned).collect());
                    }
                    colons = 0;
                }
                TokenTree::Punct(_) => {
                    self.end(&mut path);
                    colons = 0;
                }
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if !path.is_empty() {
            self.note_in_code(path);
        }
    }

    fn under(&mut self, attributes: &[syn::Attribute], look: impl FnOnce(&mut Self)) {
        let is_test = is_for_tests(attributes);
        self.tests += usize::from(is_test);
        look(self);
        self.tests -= usize::from(is_test);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes: &[syn::Attribute] = match item {
            syn::Item::Const(item) => &item.attrs,
            syn::Item::Enum(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Static(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Type(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => &[],
        };
        self.under(attributes, |reader| visit::visit_item(reader, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.under(&item.attrs, |reader| {
            visit::visit_impl_item_fn(reader, item)
        });
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        if item.content.is_none() && self.tests > 0 {
            self.read.test_modules.push(self.module.clone());
        }
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut found = Vec::new();
        leaves(&item.tree, &[], &mut found);
        for (path, _) in found {
            self.note(path);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        let segments: Vec<String> = segments.map(|part| part.ident.to_string()).collect();
        if path.leading_colon.is_some() {
            self.note(segments);
        } else {
            self.note_in_code(segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        visit::visit_attribute(self, attribute);
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(file: &str, text: &str) -> Vec<String> {
        let named = read(file, text).named;
        let long = named.iter().filter(|named| named.segments.len() > 1);
        long.map(Named::shown).collect()
    }

    #[test]
    fn use_trees_are_read_to_their_leaves() {
        let text = "use crate::{gate::{self, token as t}, keys::*}; use super::super::web::View;";
        assert_eq!(
            shown("src/engine/core.rs", text),
            [
                "crate::gate",
                "crate::gate::token",
                "crate::keys::*",
                "crate::web::View"
            ]
        );
        assert_eq!(shown("src/audit.rs", "use super::keys;"), ["crate::keys"]);
        assert_eq!(
            shown("src/gate/mod.rs", "use self::x::Y;"),
            ["crate::gate::x::Y"]
        );
    }

    #[test]
    fn paths_in_code_macros_and_attributes_are_read_and_names_put_in() {
        let text = r#"
            use std::time as t;
            fn f(a: crate::web::View) -> u8 {
                // crate::not::code
                let s = "crate::not::code";
                assert_eq!(crate::seats::N, g(super::keys::X));
                t::Instant::now()
            }
            #[serde(with = "crate::demo::text")]
            struct S;
        "#;
        let shown = shown("src/engine/x.rs", text);
        for path in [
            "crate::web::View",
            "crate::seats::N",
            "crate::engine::keys::X",
            "std::time::Instant::now",
            "crate::demo::text",
        ] {
            assert!(shown.iter().any(|known| known == path), "{path}: {shown:?}");
        }
        assert!(
            !shown.iter().any(|known| known.contains("not")),
            "{shown:?}"
        );
    }

    #[test]
    fn what_is_for_tests_alone_is_known() {
        let text = "
            #[cfg(test)] mod tests;
            #[cfg(test)] use crate::demo;
            #[cfg(test)] mod inner { use crate::rush; }
            #[cfg(not(test))] use crate::web;
        ";
        let read = read("src/files/mod.rs", text);
        assert_eq!(read.test_modules, [["files", "tests"]]);
        let test = |path: &str| {
            let found = read.named.iter().find(|named| named.shown() == path);
            found.unwrap().is_test
        };
        assert!(test("crate::demo") && test("crate::rush") && !test("crate::web"));
    }
}
