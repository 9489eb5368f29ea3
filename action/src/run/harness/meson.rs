//! `meson test`. `--wrapper` puts a command in front of each test.

use super::{CheckedCommand, Context, has_family, option_value, shell_join};
use crate::error::Error;
use crate::run::checker::Family;

/// Factor by which tests may take longer under valgrind.
const TIMEOUT_MULTIPLIER: &str = "20";

/// Adds the wrapper to a command.
pub(super) fn rewrite(argv: &[String], context: Context<'_>) -> Result<CheckedCommand, Error> {
    if option_value(argv, &["--wrapper", "--wrap"]).is_some() {
        return Err(Error::Usage("remove `--wrapper`: leakgate sets it".into()));
    }
    let mut command = CheckedCommand {
        argv: argv.to_vec(),
        ..CheckedCommand::default()
    };
    command
        .argv
        .push(format!("--wrapper={}", shell_join(context.helper)?));
    let has_multiplier = option_value(argv, &["--timeout-multiplier", "-t"]).is_some();
    if has_family(context, Family::Valgrind) && !has_multiplier {
        command
            .argv
            .extend(["--timeout-multiplier".into(), TIMEOUT_MULTIPLIER.into()]);
    }
    // Reports of these checkers are in the output of the test that they ended.
    let prints_logs = argv.iter().any(|argument| argument == "--print-errorlogs");
    if has_family(context, Family::Preload) && !prints_logs {
        command.argv.push("--print-errorlogs".into());
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::super::super::checker::Checker;
    use super::super::tests::rewrite;

    #[test]
    fn wrapper_is_put_in_front_of_each_test() {
        let argv = |text, checker| rewrite(text, &[checker]).unwrap().argv.join(" ");
        assert_eq!(
            argv("meson test -C build", Checker::Memcheck),
            "meson test -C build --wrapper=/opt/leakgate exec /tmp/f --timeout-multiplier 20"
        );
        assert!(!argv("meson test", Checker::Asan).contains("timeout"));
        assert!(argv("meson test", Checker::Scudo).contains(" --print-errorlogs"));
        assert!(rewrite("meson test --wrapper=x", &[Checker::Asan]).is_err());
    }
}
