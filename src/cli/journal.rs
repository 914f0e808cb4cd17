//! Log lines as systemd's journal takes them from standard error: `<N>` in front is the priority
//! (sd-daemon(3)), so that `journalctl -p err` finds errors. The journal takes it off again.

use std::io::{self, Write};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Whether the journal reads standard error: systemd says in `JOURNAL_STREAM` which file that is
/// (systemd.exec(5)), because who was started by somebody else may have another.
pub fn reads_stderr() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    let about = rustix::fs::fstat(rustix::stdio::stderr());
    about.is_ok_and(|about| stream == format!("{}:{}", about.st_dev, about.st_ino))
}

/// Writes each line to standard error with its priority in front.
pub struct Levelled;

impl<'a> MakeWriter<'a> for Levelled {
    type Writer = Line<io::Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Line {
            priority: priority(Level::INFO),
            to: io::stderr(),
        }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Self::Writer {
        Line {
            priority: priority(*about.level()),
            to: io::stderr(),
        }
    }
}

/// The priority of syslog(3) for a level.
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        Level::DEBUG | Level::TRACE => "<7>",
    }
}

/// A line, which is handed over whole.
pub struct Line<W> {
    priority: &'static str,
    to: W,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let whole = [self.priority.as_bytes(), line].concat();
        self.to.write_all(&whole)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_priority_in_front() {
        let mut to = Vec::new();
        let priority = priority(Level::ERROR);
        let mut line = Line {
            priority,
            to: &mut to,
        };
        line.write_all(b"{\"message\":\"x\"}\n").unwrap();
        assert_eq!(to, b"<3>{\"message\":\"x\"}\n");
    }
}
