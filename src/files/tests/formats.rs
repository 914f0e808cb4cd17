//! How files are written: encodings, delimiters, names of columns, spreadsheets.

use std::io::{Cursor, Write as _};

use encoding_rs::EUC_KR;
use proptest::prelude::*;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;
use crate::domain::booking::site::SiteRow;
use crate::files::{Encoding, sites};

const SITES: &str = "기관코드,기관명,영문명,지역,주소,위도,경도,전화번호\n\
                     a,종로구 보건소,Jongno,11/110,새문안로 1,37.5,127.0,02-1\n\
                     b,중구 보건소,Jung,11/140,,37.5,127.0,\n";

fn read_as(encoding: Encoding, file: &[u8]) -> Result<Vec<SiteRow>, Report> {
    sites::read(file, encoding)
}

fn read(file: &[u8]) -> Result<Vec<SiteRow>, Report> {
    read_as(Encoding::Auto, file)
}

fn expected() -> Vec<SiteRow> {
    let english = "site,name_ko,name_en,region,address,lat,lng,phone\n";
    let rows = SITES.split_once('\n').unwrap().1;
    read(format!("{english}{rows}").as_bytes()).unwrap()
}

fn utf_16(text: &str, little: bool) -> Vec<u8> {
    let pair = |unit: u16| {
        if little {
            unit.to_le_bytes()
        } else {
            unit.to_be_bytes()
        }
    };
    text.encode_utf16().flat_map(pair).collect()
}

#[test]
fn every_encoding_is_read_and_none_but_cp949_has_to_be_named() {
    let marked = format!("\u{feff}{SITES}");
    for file in [
        SITES.into(),
        marked.clone().into_bytes(),
        utf_16(&marked, true),
        utf_16(&marked, false),
        utf_16(SITES, true),
        utf_16(SITES, false),
    ] {
        assert_eq!(read(&file), Ok(expected()));
    }
    for file in [utf_16(&marked, true), utf_16(SITES, false)] {
        assert_eq!(read_as(Encoding::Utf16, &file), Ok(expected()));
        for other in [Encoding::Utf8, Encoding::Cp949] {
            let fault = only(read_as(other, &file).unwrap_err());
            assert_eq!(fault.reason, Reason::Encoding);
            assert!(
                fault.detail.contains("UTF-16: leave --encoding out"),
                "{fault}"
            );
        }
    }
    let cp949 = EUC_KR.encode(SITES).0.into_owned();
    assert_eq!(read_as(Encoding::Cp949, &cp949), Ok(expected()));
    let fault = only(read(&cp949).unwrap_err());
    assert_eq!((fault.line, fault.reason), (Some(1), Reason::Encoding));
    for words in ["--encoding cp949", "Excel", "CSV UTF-8"] {
        assert!(fault.detail.contains(words), "{fault}");
    }
    assert_eq!(read_as(Encoding::Utf8, SITES.as_bytes()), Ok(expected()));
}

/// 똠 is in CP949 and not in EUC-KR, which some programs mean by that name.
#[test]
fn cp949_has_all_syllables_and_what_it_has_not_is_told_at_its_line() {
    let name = "똠방각하";
    let text = SITES.replace("종로구 보건소", name);
    let mut file = EUC_KR.encode(&text).0.into_owned();
    let sites = read_as(Encoding::Cp949, &file).unwrap();
    assert_eq!(sites[0].name_ko, name);
    let second = file.iter().rposition(|byte| *byte == b'b').unwrap();
    file[second + 2] = 0xff;
    let report = read_as(Encoding::Cp949, &file).unwrap_err();
    assert_eq!(report.faults[0].reason, Reason::Encoding, "{report}");
    assert_eq!(report.faults[0].line, Some(3), "{report}");
}

#[test]
fn delimiters_are_recognised_and_a_line_that_names_one_counts() {
    for delimiter in [";", "\t"] {
        assert_eq!(
            read(SITES.replace(',', delimiter).as_bytes()),
            Ok(expected())
        );
        let bad = SITES.replace(',', delimiter).replace("\nb", "\nb b");
        let told = format!("sep={delimiter}\n{bad}");
        let fault = only(read(told.as_bytes()).unwrap_err());
        assert_eq!((fault.line, fault.reason), (Some(4), Reason::BadId));
    }
    assert_eq!(read(format!("sep=,\n{SITES}").as_bytes()), Ok(expected()));
    assert_eq!(
        read(format!("\u{feff}\"sep=,\"\n{SITES}").as_bytes()),
        Ok(expected())
    );
    let fault = only(read(format!("sep=|\n{SITES}").as_bytes()).unwrap_err());
    assert!(fault.detail.contains("sep="), "{fault}");
}

#[test]
fn columns_are_known_by_any_of_their_names() {
    let rows = SITES.split_once('\n').unwrap().1;
    for header in [
        "SITE, Name_KO ,name en,Region,ADDRESS,Lat,Lng,Phone",
        "site,nameko,Name-En,region,address,latitude,Longitude,telephone",
        "\"site\",\"기관명\",영문명,지역,주소,위도,경도,연락처",
        // In conjoining jamo, as a Mac writes it.
        "site,기관명,영문명,지역,\u{110c}\u{116e}\u{1109}\u{1169},위도,경도,연락처",
    ] {
        let read = read(format!("{header}\n{rows}").as_bytes());
        assert_eq!(read, Ok(expected()), "{header}");
    }
    // Empty columns behind the last are nothing, unless something stands in them.
    let wide = SITES
        .replace("전화번호\n", "전화번호,,\n")
        .replace("02-1\n", "02-1,,\n");
    let wide = wide.replace("127.0,\n", "127.0,,,\n");
    assert_eq!(read(wide.as_bytes()), Ok(expected()));
    let report = read(wide.replace("02-1,,", "02-1,x,").as_bytes()).unwrap_err();
    assert_only(report, 2, "", Reason::FieldCount);
}

/// It was told as a wrong number of fields, one line before the row.
#[test]
fn a_quote_that_is_not_closed_is_told_where_it_opens() {
    let open = SITES.replace("b,중구", "b,\"중구");
    for file in [
        open.clone(),
        open.trim_end().to_owned(),
        open.replace('\n', "\r\n"),
    ] {
        let report = read(file.as_bytes()).unwrap_err();
        assert_only(report, 3, "", Reason::OpenQuote);
    }
    let in_the_middle = SITES.replace("a,종로구", "a,\"종로구");
    assert_only(
        read(in_the_middle.as_bytes()).unwrap_err(),
        2,
        "",
        Reason::OpenQuote,
    );
    // The field before has a line end of its own, between its quotes.
    let later = SITES.replace("b,중구 보건소,", "b,\"중구\n보건소\",\"");
    assert_only(
        read(later.as_bytes()).unwrap_err(),
        4,
        "",
        Reason::OpenQuote,
    );
    // Closed by the next quote of the file, it is a row of too many lines.
    let closed = open.replace("a,종로구", "\n\"a\n\",\"종로구\"");
    assert!(read(closed.as_bytes()).is_err());
}

#[test]
fn a_file_with_the_mark_of_its_end_in_it_is_not_taken_for_shorter() {
    let mut file = SITES.as_bytes().to_vec();
    file.extend_from_slice(b"\0\xff\0\nc c,x,,11/110,,37.5,127.0,\n");
    assert!(read(&file).is_err());
    assert!(read(&[SITES.as_bytes(), b"\0\xff\0"].concat()).is_err());
}

/// A spreadsheet file of one sheet with these cells, as XML.
fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    let mut sheet = format!("<worksheet xmlns=\"{MAIN}\"><sheetData>");
    for (at, row) in rows.iter().enumerate() {
        if !row.is_empty() {
            sheet += &format!("<row r=\"{}\">{}</row>", at + 1, row.concat());
        }
    }
    sheet += "</sheetData></worksheet>";
    let types = format!(
        "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"xml\" \
         ContentType=\"application/xml\"/></Types>"
    );
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" \
             Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/></Relationships>"
        )
    };
    let book = format!(
        "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"명단\" sheetId=\"1\" \
         r:id=\"rId1\"/></sheets></workbook>"
    );
    let styles = format!(
        "<styleSheet xmlns=\"{MAIN}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf \
         numFmtId=\"20\"/></cellXfs></styleSheet>"
    );
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("[Content_Types].xml", types),
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
        ("xl/workbook.xml", book),
        (
            "xl/_rels/workbook.xml.rels",
            relation("worksheet", "worksheets/sheet1.xml"),
        ),
        ("xl/styles.xml", styles),
        ("xl/worksheets/sheet1.xml", sheet),
    ] {
        archive
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn cell(text: &str) -> String {
    format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

/// A number in a style: 0 plain, 1 a date, 2 a time.
fn number(value: &str, style: u8) -> String {
    format!("<c s=\"{style}\"><v>{value}</v></c>")
}

fn row(cells: &[String]) -> Vec<&str> {
    cells.iter().map(String::as_str).collect()
}

#[test]
fn a_spreadsheet_is_read_with_its_rows_as_lines() {
    let header = "site,이름,name_en,지역,address,lat,lng,phone"
        .split(',')
        .map(cell);
    let header: Vec<_> = header.collect();
    let sites = |id: &str| {
        let mut cells = ["종로구 보건소", "A &amp; B, \"x\"", "11/110", ""]
            .map(cell)
            .to_vec();
        cells.insert(0, cell(id));
        cells.extend([number("37.5", 0), number("127", 0)]);
        cells
    };
    let (good, bad) = (sites("a"), sites("b b"));
    let file = workbook(&[&[], &row(&header), &[], &row(&good)]);
    let sites = read(&file).unwrap();
    assert_eq!((sites.len(), &*sites[0].name_en), (1, "A & B, \"x\""));
    assert_eq!(
        (sites[0].lat_e6, sites[0].lng_e6),
        (37_500_000, 127_000_000)
    );
    let file = workbook(&[&[], &row(&header), &[], &row(&good), &[], &row(&bad)]);
    assert_only(read(&file).unwrap_err(), 6, "site", Reason::BadId);
}

#[test]
fn dates_times_and_numbers_of_a_spreadsheet_are_text() {
    let cells = [
        (number("24535", 1), "1967-03-04"),
        (number("24535", 0), "24535"),
        (number("0.395833333333333", 2), "09:30"),
        (number("0.3958333", 2), "09:30"),
        (number("1012350000", 0), "1012350000"),
        (number("1012345678901", 0), "1012345678901"),
        (cell("0123"), "0123"),
        ("<c t=\"b\"><v>1</v></c>".to_owned(), "TRUE"),
        ("<c t=\"e\"><v>#N/A</v></c>".to_owned(), "#N/A"),
        (cell("a\nb"), "a\u{2028}b"),
    ];
    let texts: Vec<_> = cells
        .iter()
        .map(|(_, text)| format!("\"{text}\""))
        .collect();
    let cells: Vec<_> = cells.iter().map(|(cell, _)| cell.clone()).collect();
    let csv = crate::files::workbook::to_csv(workbook(&[&row(&cells)]).as_slice()).unwrap();
    assert_eq!(String::from_utf8(csv).unwrap(), texts.join(",") + "\n");
}

#[test]
fn a_spreadsheet_that_is_none_or_unpacks_without_end_is_refused() {
    let fault = only(read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1").unwrap_err());
    assert!(
        fault.detail.contains(".xls") && fault.detail.contains("password"),
        "{fault}"
    );
    let fault = only(read(b"PK\x03\x04 and nothing else").unwrap_err());
    assert!(fault.detail.contains("can't be read as .xlsx"), "{fault}");
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let zeros = vec![0; 1 << 20];
    archive
        .start_file("xl/workbook.xml", SimpleFileOptions::default())
        .unwrap();
    for _ in 0..1_100 {
        archive.write_all(&zeros).unwrap();
    }
    let file = archive.finish().unwrap().into_inner();
    assert!(file.len() < 8 << 20);
    assert_eq!(only(read(&file).unwrap_err()).reason, Reason::TooMany);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_spoiled_spreadsheet_is_answered(
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..20),
    ) {
        let header: Vec<_> = ["site", "name_ko"].map(cell).to_vec();
        let mut file = workbook(&[&row(&header)]);
        let at = at.index(file.len());
        let end = (at + bytes.len()).min(file.len());
        file.splice(at..end, bytes);
        let _ = read(&file);
    }
}
