//! The faults of a file in words: one a line, and how many there are in all.

use crate::files::{Report, SHOWN_MAX};

/// What a terminal shows of the faults of a file.
pub fn rows(report: &Report) -> String {
    let s = |count| if count == 1 { "" } else { "s" };
    let mut told = format!(
        "the {} file has {} fault{} in {} row{}; nothing was imported",
        report.file,
        report.faults_total,
        s(report.faults_total),
        report.rows,
        s(report.rows),
    );
    let shown = report.faults.len().min(SHOWN_MAX);
    for fault in &report.faults[..shown] {
        told.push_str(&format!("\n{fault}"));
    }
    let hidden = report.faults_total - shown as u64;
    if hidden > 0 {
        told.push_str(&format!("\nand {hidden} more; by reason:"));
        for (reason, count) in &report.by_reason {
            let name = reason.name().replace('_', " ");
            told.push_str(&format!("\n  {count:>9} {name}"));
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::files::{Fault, Reason};

    #[test]
    fn a_thousand_faults_are_shown_and_the_rest_are_counted_by_reason() {
        let fault = |line| Fault {
            line: Some(line),
            column: "birth_date".into(),
            reason: Reason::BadDate,
            detail: "is not a date".to_owned(),
        };
        let report = Report {
            file: "roster".into(),
            rows: 5_000,
            faults_total: 3_000,
            by_reason: BTreeMap::from([(Reason::BadDate, 3_000)]),
            faults: (2..1_502).map(fault).collect(),
        };
        let told = rows(&report);
        let lines: Vec<_> = told.lines().collect();
        assert_eq!(lines.len(), 1 + 1_000 + 2, "{told}");
        assert!(lines[0].contains("3000 faults in 5000 rows"), "{told}");
        assert_eq!(lines[1_000], "line 1001, birth_date: is not a date");
        let end = ["and 2000 more; by reason:", "       3000 bad date"];
        assert_eq!(lines[1_001..], end);
    }
}
