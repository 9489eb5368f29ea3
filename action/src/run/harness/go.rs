//! `go test` and `go run`: `-exec` puts a command before each program that was built.

use super::{Context, Started, is_under, joined, option};
use crate::error::Error;
use crate::run::checker::{Checker, Family};

/// The command with `-exec`; for sanitizers of C code also the flag with which everything is built.
pub(super) fn start(words: &[String], context: Context<'_>) -> Result<Started, Error> {
    if option(words, &["-exec", "--exec"]).is_some() {
        return Err(Error::Usage(
            "`go` has an -exec of its own; leave it to leakgate".into(),
        ));
    }
    let at = words
        .iter()
        .position(|word| word == "test" || word == "run")
        .map_or(words.len(), |at| at + 1);
    let mut more = vec!["-exec".to_owned(), joined(context.helper)?];
    if is_under(context, Family::Sanitizer) {
        let flag = match context.pass.first() {
            Some(Checker::Asan) => "-asan",
            Some(Checker::Msan) => "-msan",
            Some(Checker::Tsan) => "-race",
            _ => {
                return Err(Error::Usage(
                    "go builds with asan, msan and tsan (-race), and no other sanitizer".into(),
                ));
            }
        };
        if !words.iter().any(|word| word == flag) {
            more.push(flag.into());
        }
    }
    let words = [&words[..at], &more, &words[at..]].concat();
    Ok(Started {
        words,
        ..Started::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::checker::Checker;
    use super::super::tests::started;

    #[test]
    fn programs_of_go_are_called_by_the_helper() {
        let of = |checker| started("go test -v ./...", &[checker]).unwrap().words;
        assert_eq!(
            of(Checker::Memcheck),
            [
                "go",
                "test",
                "-exec",
                "/opt/leakgate exec /tmp/f",
                "-v",
                "./..."
            ]
        );
        assert_eq!(
            of(Checker::Asan)[2..5],
            ["-exec", "/opt/leakgate exec /tmp/f", "-asan"]
        );
        assert!(
            started("go test", &[Checker::Hwasan]).is_err()
                && started("go test -exec x", &[Checker::Memcheck]).is_err()
        );
    }
}
