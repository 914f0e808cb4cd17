//! What a logo may have, what it may not, and that nothing else of its file is kept.

use super::*;

const PLAIN: &str = r##"<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" version="1.1" viewBox="0 0 48 40.5" id="layer1">
  <!-- drawn by hand -->
  <title>Gate &amp; <![CDATA[<water>]]></title>
  <defs>
    <linearGradient id="a-1"><stop offset="0" stop-color="#fff"/></linearGradient>
  </defs>
  <g fill="url(#a-1)" transform="translate(1 2)"><path d="M0 0
      L4,5z"/></g>
</svg>"##;

fn svg(body: &str) -> Result<Logo, String> {
    let head =
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink""#;
    Logo::of_file(format!("{head} viewBox=\"0 0 8 8\">{body}</svg>").as_bytes())
}

#[test]
fn an_svg_is_written_anew_without_what_only_its_editor_needs() {
    let logo = Logo::of_file(PLAIN.as_bytes()).unwrap();
    assert_eq!(
        (logo.kind, logo.width, logo.height),
        (LogoKind::Svg, 48, 41)
    );
    let text = String::from_utf8(logo.bytes.clone()).unwrap();
    let expected = concat!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 40.5">"#,
        r#"<title>Gate &amp; &lt;water&gt;</title><defs><linearGradient id="a-1">"#,
        r##"<stop offset="0" stop-color="#fff"></stop></linearGradient></defs>"##,
        r##"<g fill="url(#a-1)" transform="translate(1 2)"><path d="M0 0 L4,5z"></path>"##,
        "</g></svg>",
    );
    assert_eq!(text, expected);
    assert_eq!(Logo::of_file(&logo.bytes), Ok(logo), "it is its own result");
}

#[test]
fn what_could_fetch_run_or_style_anything_is_refused_by_name() {
    let refused = [
        ("<script>alert(1)</script>", "<script>"),
        ("<style>@import 'x'</style>", "<style>"),
        ("<text>a</text>", "<text>"),
        ("<image href='x'/>", "<image>"),
        ("<use href='#a'/>", "<use>"),
        ("<a><path/></a>", "<a>"),
        ("<foreignObject/>", "<foreignObject>"),
        ("<animate/>", "<animate>"),
        ("<svg/>", "<svg>"),
        ("<path onload='x()'/>", "onload"),
        ("<path style='fill:red'/>", "style"),
        ("<path class='a'/>", "class"),
        ("<path filter='url(#a)'/>", "filter"),
        ("<linearGradient xlink:href='#a'/>", "href"),
        ("<path fill='url(#nowhere)'/>", "fill"),
        ("<path fill='url(http://x/y#z)'/>", "fill"),
        ("<path fill='URL(#a)'/>", "fill"),
        ("<path d='url(#a)'/>", "d in"),
        ("<path fill='javascript:x'/>", "fill"),
        ("<path fill='red;stroke:url(x)'/>", "fill"),
        ("<path fill='\\75rl(x)'/>", "fill"),
        ("<x:path xmlns:x='urn:other'/>", "<path>"),
        ("<g>words</g>", "text in <g>"),
        ("<title><path/></title>", "<title>"),
    ];
    for (body, named) in refused {
        let why = svg(body).expect_err(body);
        assert!(why.contains(named), "{body}: {why}");
        assert!(why.contains("save it as plain SVG, text as paths"), "{why}");
    }
    assert!(svg("<path d='M0 0h4'/>").is_ok());
}

#[test]
fn documents_that_are_no_simple_drawing_are_refused() {
    let entity = r#"<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"/>"#;
    let deep = format!("{}{}", "<g>".repeat(20), "</g>".repeat(20));
    let deepest = "<g>".repeat(60_000);
    let many = "<g/>".repeat(3_000);
    let long = format!("<path d='{}'/>", "M1 1".repeat(5_000));
    assert!(Logo::of_file(entity.as_bytes()).is_err());
    assert!(svg(&deep).unwrap_err().contains("deep"));
    assert!(svg(&deepest).is_err());
    assert!(svg(&many).is_err());
    assert!(svg(&long).unwrap_err().contains("at most 16 KiB"));
    for text in [
        "",
        "<html/>",
        "<svg/>",
        "no picture",
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
    ] {
        assert!(Logo::of_file(text.as_bytes()).is_err(), "{text}");
    }
    assert!(
        Logo::of_file(&[0xff, 0xfe])
            .unwrap_err()
            .contains("neither")
    );
    assert!(
        Logo::of_file(&vec![b' '; 300 << 10])
            .unwrap_err()
            .contains("256 KiB")
    );
}

/// A picture of noise, or with a noise of 0 a black one.
fn picture(side: u32, noise: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(::png::ColorType::Rgb);
    encoder
        .add_text_chunk("Author".to_owned(), "somebody in particular".to_owned())
        .unwrap();
    let mut writer = encoder.write_header().unwrap();
    // Bytes that do not follow from one another, so that they take room.
    let mut last = 1_u64;
    let mut next = || {
        last = last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (last >> 56) as u8 * noise
    };
    let pixels: Vec<u8> = (0..side * side * 3).map(|_| next()).collect();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn a_png_keeps_its_pixels_and_nothing_else() {
    let bytes = picture(64, 1);
    let has = |bytes: &[u8], word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
    assert!(has(&bytes, b"somebody"));
    let logo = Logo::of_file(&bytes).unwrap();
    assert_eq!(
        (logo.kind, logo.width, logo.height),
        (LogoKind::Png, 64, 64)
    );
    assert!(!has(&logo.bytes, b"somebody"));
    let pixels = |bytes: &[u8]| {
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        pixels
    };
    assert_eq!(pixels(&logo.bytes), pixels(&bytes));
    assert_eq!(Logo::of_file(&logo.bytes), Ok(logo), "it is its own result");
}

#[test]
fn a_png_that_is_broken_or_too_large_is_refused() {
    let bytes = picture(16, 1);
    for cut in [8, 20, 40, bytes.len() / 2] {
        let why = Logo::of_file(&bytes[..cut]).unwrap_err();
        assert!(why.contains("save it anew"), "{why}");
    }
    assert!(Logo::of_file(&picture(512, 0)).is_ok());
    assert!(
        Logo::of_file(&picture(513, 0))
            .unwrap_err()
            .contains("scale it down")
    );
    assert!(
        Logo::of_file(&picture(256, 1))
            .unwrap_err()
            .contains("at most 24 KiB")
    );
}
