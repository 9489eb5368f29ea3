//! How the action gets the program: `action/setup/get.sh` against a release in a folder or behind a
//! server.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "this is a test")]

#[path = "setup/release.rs"]
mod release;
#[path = "setup/server.rs"]
mod server;

use std::fs;

use release::{ARCHIVE, Machine, VERSION};
use server::Server;

const OTHER: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[test]
fn a_release_is_downloaded_verified_and_kept() {
    let machine = Machine::new();
    let sum = machine.release(ARCHIVE);
    machine.manifest(&format!(
        "# sums\n{OTHER}  leakgate-9.9.9-x86_64-unknown-linux-musl.tar.gz\n{sum}  {ARCHIVE}\n"
    ));
    let got = machine.get(&[]);
    assert_eq!(got.says(), "released", "{}", got.log);
    assert!(
        got.path
            .ends_with(&format!("tools/leakgate/{VERSION}/X64/leakgate")),
        "{}",
        got.path
    );

    // The second time nothing is asked for.
    let away = machine.releases().with_extension("away");
    fs::rename(machine.releases(), &away).unwrap();
    let again = machine.get(&[]);
    assert_eq!(
        (again.path.as_str(), again.log.as_str()),
        (got.path.as_str(), "")
    );

    // A program that has changed in the cache is fetched anew.
    fs::write(&got.path, "#!/bin/sh\necho forged\n").unwrap();
    assert!(machine.get(&[]).error().contains("could not be downloaded"));
    fs::rename(away, machine.releases()).unwrap();
    assert_eq!(machine.get(&[]).says(), "released");
    assert_eq!(
        machine.left(),
        [
            format!("{VERSION}/X64.complete"),
            format!("{VERSION}/X64/leakgate")
        ]
    );
}

#[test]
fn what_is_not_what_was_released_is_refused() {
    let machine = Machine::new();
    machine.release(ARCHIVE);
    machine.manifest(&format!("{OTHER}  {ARCHIVE}\n"));
    let got = machine.get(&[]);
    assert!(
        got.error()
            .contains("is not what was released: its SHA-256 is "),
        "{}",
        got.log
    );
    assert_eq!(machine.left(), [""; 0]);
}

#[test]
fn a_version_that_is_not_known_needs_a_checksum() {
    let machine = Machine::new();
    let archive = "leakgate-3.2.1-rc.1-x86_64-unknown-linux-musl.tar.gz";
    let sum = machine.release(archive);
    let got = machine.get(&[("LEAKGATE_VERSION", "3.2.1-rc.1")]);
    assert!(
        got.error().contains(
            "This action knows no archive of leakgate 3.2.1-rc.1 for Linux X64: give 'checksum'"
        ),
        "{}",
        got.log
    );
    assert_eq!(machine.left(), [""; 0]);

    let given = [
        ("LEAKGATE_VERSION", "v3.2.1-rc.1"),
        ("LEAKGATE_CHECKSUM", &*sum.to_uppercase()),
    ];
    assert_eq!(machine.get(&given).says(), "released");
    let wrong = [given[0], ("LEAKGATE_CHECKSUM", OTHER)];
    assert!(
        machine
            .get(&wrong)
            .error()
            .contains("is not what was released"),
        "the cache holds another checksum"
    );
}

#[test]
fn a_server_that_fails_twice_is_asked_again() {
    let machine = Machine::new();
    let sum = machine.release(ARCHIVE);
    let bytes = fs::read(machine.releases().join(format!("v{VERSION}")).join(ARCHIVE)).unwrap();
    let server = Server::start(vec![(503, vec![]), (502, vec![]), (200, bytes)]);
    let got = machine.get(&[
        ("LEAKGATE_CHECKSUM", &sum),
        ("LEAKGATE_RELEASES", &server.address),
    ]);
    assert_eq!(got.says(), "released", "{}", got.log);
    assert_eq!(
        server.asked(),
        vec![format!("GET /v{VERSION}/{ARCHIVE} HTTP/1.1"); 3]
    );

    // Nothing is there: that is no reason to ask again.
    let server = Server::start(vec![(404, vec![])]);
    let got = machine.get(&[
        ("LEAKGATE_CHECKSUM", OTHER),
        ("LEAKGATE_RELEASES", &server.address),
    ]);
    assert!(
        got.error().contains("could not be downloaded"),
        "{}",
        got.log
    );
}

#[test]
fn without_a_mirror_only_https_is_spoken() {
    let machine = Machine::new();
    machine.program("curl", "echo \"$@\" >&2; exit 22");
    let got = machine.get(&[("LEAKGATE_CHECKSUM", OTHER), ("LEAKGATE_RELEASES", "")]);
    assert!(
        got.log.starts_with("--proto =https --tlsv1.2 --fail "),
        "{}",
        got.log
    );
    let from =
        format!("https://github.com/leakgate/leakgate/releases/download/v{VERSION}/{ARCHIVE}");
    assert!(
        got.log
            .lines()
            .next()
            .unwrap()
            .ends_with(&format!(" -- {from}")),
        "{}",
        got.log
    );
    assert!(got.error().contains("could not be downloaded"));
}

#[test]
fn without_an_archive_the_source_is_built_once() {
    let machine = Machine::new();
    let got = machine.get(&[]);
    assert!(
        got.error().contains("no cargo to build it: install Rust"),
        "{}",
        got.log
    );

    let built = r##"echo "$PWD $* ${RUSTFLAGS:-none}" >&2
mkdir -p "$CARGO_TARGET_DIR/release" && printf '#!/bin/sh\necho built\n' >"$CARGO_TARGET_DIR/release/leakgate"
chmod +x "$CARGO_TARGET_DIR/release/leakgate""##;
    machine.program("cargo", built);
    let got = machine.get(&[("RUSTFLAGS", "-Zsanitizer=address")]);
    assert_eq!(got.says(), "built", "{}", got.log);
    let called = format!(
        "{} build --release --locked --package leakgate none",
        machine.action().display()
    );
    assert!(got.log.lines().any(|line| line == called), "{}", got.log);
    assert!(got.path.contains("/tools/leakgate/source-"), "{}", got.path);
    assert_eq!(machine.get(&[]).log, "", "it is kept");

    // Other source is another program.
    fs::write(machine.action().join("core/lib.rs"), "// changed").unwrap();
    assert_ne!(machine.get(&[]).path, got.path);

    machine.program("cargo", "exit 101");
    fs::write(machine.action().join("core/lib.rs"), "// broken").unwrap();
    assert!(
        machine
            .get(&[])
            .error()
            .contains("leakgate could not be built from the action's source.")
    );
    assert_eq!(machine.left().len(), 4);
}

#[test]
fn what_a_release_packs_is_what_the_action_unpacks() {
    let machine = Machine::new();
    let target = "x86_64-unknown-linux-musl";
    let built = format!(
        "mkdir -p target/{target}/release && cd target/{target}/release && printf '#!/bin/sh\\necho packed\\n' >leakgate && chmod +x leakgate"
    );
    machine.program("cargo", &built);
    let sum = machine.archive(target);
    assert_eq!(machine.get(&[("LEAKGATE_CHECKSUM", &sum)]).says(), "packed");
}

#[test]
fn an_installed_program_is_used_as_it_is() {
    let machine = Machine::new();
    let installed = [("LEAKGATE_VERSION", "installed")];
    assert!(
        machine
            .get(&installed)
            .error()
            .contains("there is no leakgate on PATH")
    );
    machine.program("leakgate", "echo installed");
    assert_eq!(machine.get(&installed).says(), "installed");
}

#[test]
fn inputs_are_refused_that_are_no_version_and_no_checksum() {
    let machine = Machine::new();
    for version in [
        "../0.1.0",
        "0.1.0/../..",
        "0.1",
        "0.1.0 x",
        "0.1.0-",
        "0.1.0-..",
        "-v",
        "latest",
        "0.1.0\n::warning::x",
        "$(id)",
    ] {
        let error = machine
            .get(&[("LEAKGATE_VERSION", version), ("LEAKGATE_CHECKSUM", OTHER)])
            .error();
        assert!(
            error.contains("'version' is no version such as 0.1.0: "),
            "{version}: {error}"
        );
    }
    for sum in [
        "1234",
        &OTHER[1..],
        &format!("{OTHER} x"),
        &format!("{}g", &OTHER[1..]),
    ] {
        let error = machine.get(&[("LEAKGATE_CHECKSUM", sum)]).error();
        assert!(error.contains("'checksum' is no SHA-256"), "{sum}: {error}");
    }
    assert_eq!(machine.left(), [""; 0]);
}

#[test]
fn each_machine_has_its_archive() {
    let machine = Machine::new();
    for (system, cpu, name) in [
        ("Linux", "ARM64", "aarch64-unknown-linux-musl.tar.gz"),
        ("macOS", "X64", "x86_64-apple-darwin.tar.gz"),
        ("macOS", "ARM64", "aarch64-apple-darwin.tar.gz"),
        ("Windows", "X64", "x86_64-pc-windows-msvc.zip"),
        ("Windows", "ARM64", "aarch64-pc-windows-msvc.zip"),
    ] {
        let got = machine.get(&[
            ("RUNNER_OS", system),
            ("RUNNER_ARCH", cpu),
            ("LEAKGATE_CHECKSUM", OTHER),
        ]);
        let wanted = format!("/v{VERSION}/leakgate-{VERSION}-{name} could not be downloaded.");
        assert!(got.error().ends_with(&wanted), "{}", got.log);
    }
    for (system, cpu) in [("Linux", "ARM"), ("FreeBSD", "X64"), ("", "")] {
        let given = [
            ("RUNNER_OS", system),
            ("RUNNER_ARCH", cpu),
            ("LEAKGATE_VERSION", "1.0.0"),
            ("LEAKGATE_CHECKSUM", OTHER),
        ];
        assert!(
            machine
                .get(&given)
                .error()
                .contains("This action knows no archive of leakgate 1.0.0 for ")
        );
    }
}
