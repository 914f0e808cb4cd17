//! The older text form of Prometheus (0.0.4), which its tools read from a file or a pipe.

use std::collections::HashMap;

/// Turns OpenMetrics text into it. The samples are the same; what is said of a counter
/// has its whole name, and the end has no mark.
pub fn classic(open_metrics: &str) -> String {
    let about = |line: &str, kind: &str| {
        let rest = line.strip_prefix(kind)?;
        let (name, said) = rest.split_once(' ')?;
        Some((name.to_owned(), said.to_owned()))
    };
    let types: HashMap<String, String> = open_metrics
        .lines()
        .filter_map(|line| about(line, "# TYPE "))
        .collect();
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines() {
        if line == "# EOF" {
            continue;
        }
        let is_counter = |name: &str| types.get(name).is_some_and(|kind| kind == "counter");
        let kinds = ["# HELP ", "# TYPE "];
        let said = kinds.iter().find_map(|kind| {
            let (name, said) = about(line, kind)?;
            is_counter(&name).then(|| format!("{kind}{name}_total {said}\n"))
        });
        match said {
            Some(said) => text.push_str(&said),
            None => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_described_by_its_whole_name_and_nothing_else_changes() {
        let open_metrics = "# HELP a Of it.\n# TYPE a counter\na_total{b=\"c\"} 1\n\
                            # HELP d Of that.\n# TYPE d gauge\nd 2\n# EOF\n";
        let expected = "# HELP a_total Of it.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n\
                        # HELP d Of that.\n# TYPE d gauge\nd 2\n";
        assert_eq!(classic(open_metrics), expected);
    }
}
