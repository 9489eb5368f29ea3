//! Frames that a terminal broke at its width: they are read as if they were whole.

use std::fmt::Write as _;

use crate::common;

const DIALECTS: &[&str] = &["asan/", "hwasan/", "lsan/", "msan/", "tsan/"];

/// Breaks the frames of a log.
fn break_frames(text: &str, width: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut rest = line;
        let is_frame = line.trim_start().starts_with('#');
        while is_frame && rest.len() > width && rest.is_char_boundary(width) {
            let (part, after) = rest.split_at(width);
            let _ = writeln!(out, "{part}");
            rest = after;
        }
        let _ = writeln!(out, "{rest}");
    }
    out
}

#[test]
fn frames_broken_at_the_width_of_a_terminal_are_joined() {
    let mut broken = 0;
    for case in common::cases() {
        if !DIALECTS
            .iter()
            .any(|dialect| case.name.starts_with(dialect))
        {
            continue;
        }
        let whole = common::judge(&case.files);
        for width in [80, 100, 132] {
            let files: Vec<(String, String)> = case
                .files
                .iter()
                .map(|(name, bytes)| {
                    let text = String::from_utf8_lossy(bytes);
                    (name.clone(), break_frames(&text, width))
                })
                .collect();
            if files
                .iter()
                .zip(&case.files)
                .all(|(a, b)| a.1.as_bytes() == b.1)
            {
                continue;
            }
            broken += 1;
            let judged = common::judge(&files);
            let found: Vec<_> = judged.fingerprints().collect();
            let want: Vec<_> = whole.fingerprints().collect();
            assert_eq!(found, want, "{} at {width}", case.name);
            assert_eq!(judged.codes(), whole.codes(), "{} at {width}", case.name);
        }
    }
    assert!(broken > 100, "{broken}");
}

#[test]
fn output_after_a_full_line_is_no_part_of_a_frame() {
    let log = |after: &str| {
        format!(
            "==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
             Direct leak of 8 byte(s) in 1 object(s) allocated from:\n    \
             #0 0x55d0c0ffee00 in malloc (/bin/app+0x1)\n    \
             #1 0x55d0c0ffee10 in cart_{}(int) /src/cart.c:12\n{after}\n\n\
             SUMMARY: AddressSanitizer: 8 byte(s) leaked in 1 allocation(s).\n",
            "x".repeat(30)
        )
    };
    assert!(log("").lines().any(|line| line.len() == 80));
    let fingerprints =
        |text: &str| -> Vec<_> { common::judge_text(text.as_bytes()).fingerprints().collect() };
    let want = fingerprints(&log(""));
    for after in [
        "done",
        "total: 3",
        "    #2 0x55d0c0ffee20 in main /src/main.c:3",
        "#!",
    ] {
        let got = fingerprints(&log(after));
        assert_eq!(got.len(), 1);
        assert_eq!(got == want, !after.contains("main"), "{after}");
    }
}
