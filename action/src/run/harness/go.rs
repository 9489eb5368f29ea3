//! `go test` and `go run`. `-exec` puts a command in front of each program that go has built.

use super::{CheckedCommand, Context, has_family, option_value, shell_join};
use crate::error::Error;
use crate::run::checker::{Checker, Family};

/// Adds `-exec` to a command; for sanitizers of C code also the flag that builds everything with
/// it.
pub(super) fn rewrite(argv: &[String], context: Context<'_>) -> Result<CheckedCommand, Error> {
    if option_value(argv, &["-exec", "--exec"]).is_some() {
        return Err(Error::Usage("remove `-exec`: leakgate sets it".into()));
    }
    let at = argv
        .iter()
        .position(|argument| argument == "test" || argument == "run")
        .map_or(argv.len(), |at| at + 1);
    let mut options = vec!["-exec".to_owned(), shell_join(context.helper)?];
    if has_family(context, Family::Sanitizer) {
        let flag = sanitizer_flag(context.checkers)?;
        if !argv.iter().any(|argument| argument == flag) {
            options.push(flag.into());
        }
    }
    Ok(CheckedCommand {
        argv: [&argv[..at], &options, &argv[at..]].concat(),
        ..CheckedCommand::default()
    })
}

/// Returns go's flag for a sanitizer.
fn sanitizer_flag(checkers: &[Checker]) -> Result<&'static str, Error> {
    match checkers.first() {
        Some(Checker::Asan) => Ok("-asan"),
        Some(Checker::Msan) => Ok("-msan"),
        Some(Checker::Tsan) => Ok("-race"),
        _ => Err(Error::Usage(
            "go doesn't support this sanitizer; expected one of: asan, msan, tsan".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::checker::Checker;
    use super::super::tests::rewrite;

    #[test]
    fn helper_runs_programs_that_go_has_built() {
        let argv = |checker| rewrite("go test -v ./...", &[checker]).unwrap().argv;
        assert_eq!(
            argv(Checker::Memcheck),
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
            argv(Checker::Asan)[2..5],
            ["-exec", "/opt/leakgate exec /tmp/f", "-asan"]
        );
        assert!(rewrite("go test", &[Checker::Hwasan]).is_err());
        assert!(rewrite("go test -exec x", &[Checker::Memcheck]).is_err());
    }
}
