//! Names of logs: which process wrote a log, and which of several processes that had its pid.

/// Subfolder of the log folder where [`LogRotator`](super::log_rotation::LogRotator) keeps logs
/// while the command runs: one folder for the first log of each name, one for the second, and so
/// on.
pub(super) const GENERATIONS_DIR: &str = ".parts";

/// Returns the pid in the name of a log, such as 41 for `41.xml` and `san.app.41`.
pub(super) fn pid(name: &str) -> Option<u32> {
    let name = name
        .strip_suffix(".xml")
        .or_else(|| name.strip_suffix(".txt"))
        .unwrap_or(name);
    name.rsplit('.').next()?.parse().ok()
}

/// Splits a name into the number of its generation and the rest: `2.41.xml`, `2.san.app.41`. The
/// first log of a name has no number and counts as generation 1.
pub(super) fn generation(name: &str) -> (u32, &str) {
    let parse = |(number, rest): (&str, _)| Some((number.parse().ok()?, rest));
    name.split_once('.')
        .filter(|(_, rest)| pid(rest).is_some())
        .and_then(parse)
        .unwrap_or((1, name))
}

/// Returns a name without the folder in which the log is kept while the command runs.
pub(super) fn without_generations_dir(name: &str) -> &str {
    let rotated = name
        .strip_prefix(GENERATIONS_DIR)
        .and_then(|rest| rest.strip_prefix('/')?.split_once('/'));
    rotated.map_or(name, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pid_is_read_from_name() {
        for (name, expected) in [
            ("41.xml", Some(41)),
            ("san.app.41", Some(41)),
            ("stderr.txt", None),
            ("results.txt", None),
        ] {
            assert_eq!(pid(name), expected, "{name}");
        }
    }

    #[test]
    fn generation_is_split_from_name() {
        for (name, expected) in [
            ("41.xml", (1, "41.xml")),
            ("2.41.xml", (2, "41.xml")),
            ("san.a.41", (1, "san.a.41")),
            ("3.san.a.41", (3, "san.a.41")),
        ] {
            assert_eq!(generation(name), expected);
        }
    }

    #[test]
    fn generations_dir_is_removed_from_name() {
        for (name, expected) in [
            (".parts/0/san.a.7", "san.a.7"),
            ("7.xml", "7.xml"),
            ("app.7/results.txt", "app.7/results.txt"),
        ] {
            assert_eq!(without_generations_dir(name), expected);
        }
    }
}
