//! Tests of the readers: a named one for each fault, and bytes that nobody should send.

mod formats;
mod fuzz;
mod roster;
mod sites;
mod slots;
mod spelled;
mod table;

use std::fmt;

use super::{Fault, Reason, Report};

/// Only the tests print a report whole: the command line has words of its own for it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = self.faults.iter().map(Fault::to_string);
        f.write_str(&faults.collect::<Vec<_>>().join("\n"))
    }
}

/// The only fault of a report.
fn only(report: Report) -> Fault {
    assert_eq!(report.faults_total, 1, "{report}");
    report.faults.into_iter().next().unwrap()
}

/// Asserts that a report has one fault, at this line and column.
fn assert_only(report: Report, line: u64, column: &str, reason: Reason) {
    let fault = only(report);
    let place = (fault.line, &*fault.column, fault.reason);
    assert_eq!(place, (Some(line), column, reason), "{fault}");
}
