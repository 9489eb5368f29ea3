//! `meson test`: `--wrapper` puts a command before each test.

use super::{Context, Started, is_under, joined, option};
use crate::error::Error;
use crate::run::checker::Family;

/// How much longer a test may take under valgrind than Meson expects.
const PATIENCE: &str = "20";

/// The command with a wrapper.
pub(super) fn start(words: &[String], context: Context<'_>) -> Result<Started, Error> {
    if option(words, &["--wrapper", "--wrap"]).is_some() {
        return Err(Error::Usage(
            "`meson test` has a --wrapper of its own; leave it to leakgate".into(),
        ));
    }
    let mut started = Started {
        words: words.to_vec(),
        ..Started::default()
    };
    started
        .words
        .push(format!("--wrapper={}", joined(context.helper)?));
    if is_under(context, Family::Valgrind)
        && option(words, &["--timeout-multiplier", "-t"]).is_none()
    {
        started
            .words
            .extend(["--timeout-multiplier".into(), PATIENCE.into()]);
    }
    // What these checkers have to say stands in the output of the test that they ended.
    if is_under(context, Family::Preload) && !words.iter().any(|word| word == "--print-errorlogs") {
        started.words.push("--print-errorlogs".into());
    }
    Ok(started)
}

#[cfg(test)]
mod tests {
    use super::super::super::checker::Checker;
    use super::super::tests::started;

    #[test]
    fn a_wrapper_stands_before_each_test() {
        let memcheck = started("meson test -C build", &[Checker::Memcheck])
            .unwrap()
            .words
            .join(" ");
        assert_eq!(
            memcheck,
            "meson test -C build --wrapper=/opt/leakgate exec /tmp/f --timeout-multiplier 20"
        );
        assert!(
            !started("meson test", &[Checker::Asan])
                .unwrap()
                .words
                .join(" ")
                .contains("timeout")
        );
        assert!(
            started("meson test", &[Checker::Scudo])
                .unwrap()
                .words
                .contains(&"--print-errorlogs".to_owned())
        );
        assert!(started("meson test --wrapper=x", &[Checker::Asan]).is_err());
    }
}
