//! `go test` and `go run`. `-exec` puts a command in front of each program that go has built.

use super::{CheckedCommand, Context, has_family, option_value, shell_join};
use crate::error::Error;
use crate::run::checker::{Checker, Family};

/// Options of the linker that keep symbols and debug information. go removes both from the programs
/// that it runs itself (`cmd/go/internal/load`, `OmitDebug`), and stacks would have no names.
const KEEP_SYMBOLS: &str = "-s=false -w=false";

/// Adds `-exec` to a command, and keeps the symbols of the programs; for sanitizers of C code also
/// adds the flag that builds everything with it.
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
    let mut rest = argv[at..].to_vec();
    let go_flags = context.machine.env_var("GOFLAGS").unwrap_or_default();
    if let Some(value) = linker_options(&mut rest) {
        // A value can begin with a pattern of packages, and then says nothing about the others.
        if value.starts_with('-') {
            *value = format!("{KEEP_SYMBOLS} {value}");
        }
    } else if !go_flags.contains("-ldflags") {
        options.push(format!("-ldflags={KEEP_SYMBOLS}"));
    }
    Ok(CheckedCommand {
        argv: [&argv[..at], &options, &rest].concat(),
        ..CheckedCommand::default()
    })
}

/// Makes `-ldflags` an argument to itself, and returns its value without the name. Arguments after
/// the first `-args` or `--` belong to the program.
fn linker_options(arguments: &mut Vec<String>) -> Option<&mut String> {
    let is_end = |argument: &String| ["-args", "--args", "--"].contains(&argument.as_str());
    let end = arguments.iter().position(is_end).unwrap_or(arguments.len());
    for at in 0..end {
        let option = arguments[at].trim_start_matches('-');
        if option == "ldflags" && at + 1 < end {
            return arguments.get_mut(at + 1);
        }
        if let Some(value) = option.strip_prefix("ldflags=") {
            let value = value.to_owned();
            arguments.splice(at..=at, ["-ldflags".to_owned(), value]);
            return arguments.get_mut(at + 1);
        }
    }
    None
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
                "-ldflags=-s=false -w=false",
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

    #[test]
    fn symbols_are_kept_unless_the_user_removes_them() {
        let argv = |command: &str| {
            let rewritten = rewrite(command, &[Checker::Memcheck]).unwrap();
            rewritten.argv[4..].join(" ")
        };
        assert_eq!(argv("go test ./..."), "-ldflags=-s=false -w=false ./...");
        assert_eq!(
            argv("go test -ldflags=-X=a.b=c ./..."),
            "-ldflags -s=false -w=false -X=a.b=c ./..."
        );
        assert_eq!(
            argv("go test --ldflags -w ."),
            "--ldflags -s=false -w=false -w ."
        );
        assert_eq!(
            argv("go test -ldflags=all=-w ."),
            "-ldflags all=-w .",
            "the options of a pattern"
        );
        // This one belongs to the test.
        assert_eq!(
            argv("go test . -args -ldflags=-X=a"),
            "-ldflags=-s=false -w=false . -args -ldflags=-X=a"
        );
    }
}
