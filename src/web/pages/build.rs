//! Prepares the pages' assets: each is compressed once and named by its content, so that browsers
//! may keep it for ever.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};

const ASSETS: &str = "src/web/pages/assets";
/// What a page holds that has its style inside; the style sheets of the others begin with it.
const FRAME: &str = "frame.css";
const PAGES: [&str; 2] = ["page.css", "desk.css"];

fn main() {
    println!("cargo:rerun-if-changed={ASSETS}");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut files: Vec<PathBuf> = fs::read_dir(root.join(ASSETS))
        .expect("the assets are part of the source")
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect();
    files.sort();
    let mut table = String::from("pub static ASSETS: &[Asset] = &[\n");
    for file in files {
        table.push_str(&prepared(&file, &out));
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table).expect("the build folder can be written");
}

/// One row of the table; the compressed forms are written beside it.
fn prepared(file: &Path, out: &Path) -> String {
    let name = file.file_name().and_then(|name| name.to_str());
    let (stem, ending) = name
        .and_then(|name| name.rsplit_once('.'))
        .expect("an asset is called NAME.ENDING");
    let kind = match ending {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        other => panic!("{}: no content type is known for .{other}", file.display()),
    };
    let mut plain = fs::read(file).expect("an asset can be read");
    if name.is_some_and(|name| PAGES.contains(&name)) {
        let frame = fs::read(file.with_file_name(FRAME)).expect("the frame's style can be read");
        plain.splice(..0, frame);
    }
    if ending == "js" {
        plain = bare(&plain);
    }
    let mut hasher = DefaultHasher::new();
    hasher.write(&plain);
    let hashed = format!("{stem}.{:016x}.{ending}", hasher.finish());
    let write = |ending: &str, bytes: &[u8]| {
        let path = out.join(format!("{hashed}{ending}"));
        fs::write(&path, bytes).expect("the build folder can be written");
        format!("include_bytes!({path:?})")
    };
    let (plain_at, brotli_at, gzip_at) = (
        write("", &plain),
        write(".br", &brotli(&plain)),
        write(".gz", &gzip(&plain)),
    );
    format!(
        "Asset {{ name: {:?}, path: \"/assets/{hashed}\", kind: {kind:?}, plain: {plain_at}, \
         brotli: {brotli_at}, gzip: {gzip_at} }},\n",
        format!("{stem}.{ending}")
    )
}

/// A script without its comments and indents, each of which has lines of its own.
fn bare(script: &[u8]) -> Vec<u8> {
    let script = std::str::from_utf8(script).expect("scripts are UTF-8");
    let lines = script.lines().map(str::trim_start);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    code.flat_map(|line| [line, "\n"])
        .collect::<String>()
        .into_bytes()
}

fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    // Quality 11 of 11, window of 4 MiB: time does not matter here.
    let mut writer = brotli::CompressorWriter::new(&mut packed, 4096, 11, 22);
    writer.write_all(plain).expect("memory takes all bytes");
    drop(writer);
    packed
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(plain).expect("memory takes all bytes");
    writer.finish().expect("memory takes all bytes")
}
