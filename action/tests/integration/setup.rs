//! Tests how the action installs leakgate: runs `action/setup/get.sh` with releases in a directory
//! or on a server.

mod release;
mod server;

use std::fs;
use std::path::Path;

use release::{ARCHIVE, Machine, VERSION};
use server::Server;

const OTHER: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[test]
fn release_is_downloaded_verified_and_cached() {
    let machine = Machine::new();
    let sum = machine.release(ARCHIVE);
    machine.manifest(&format!(
        "# checksums\n{OTHER}  leakgate-9.9.9-x86_64-unknown-linux-musl.tar.gz\n{sum}  {ARCHIVE}\n"
    ));
    let got = machine.get(&[]);
    assert_eq!(got.program_output(), "released", "{}", got.log);
    let url = format!(
        "file://{}/v{VERSION}/{ARCHIVE}",
        machine.releases().display()
    );
    assert_eq!(
        got.log,
        format!("installed: leakgate {VERSION}, from {url}\n")
    );
    assert!(
        got.path
            .ends_with(&format!("tools/leakgate/{VERSION}/X64/leakgate")),
        "{}",
        got.path
    );

    // The second time, nothing is downloaded.
    let away = machine.releases().with_extension("away");
    fs::rename(machine.releases(), &away).unwrap();
    let again = machine.get(&[]);
    assert_eq!(again.path, got.path);
    assert!(
        again.log.lines().count() == 1
            && again
                .log
                .contains(&format!("leakgate {VERSION}, from the tool cache ")),
        "{}",
        again.log
    );

    // A program that was changed in the cache is downloaded again.
    fs::write(&got.path, "#!/bin/sh\necho forged\n").unwrap();
    assert!(machine.get(&[]).error().contains("cannot download"));
    fs::rename(away, machine.releases()).unwrap();
    assert_eq!(machine.get(&[]).program_output(), "released");
    assert_eq!(
        machine.cached_files(),
        [
            format!("{VERSION}/X64.complete"),
            format!("{VERSION}/X64/leakgate")
        ]
    );
}

#[test]
fn wrong_checksum_is_rejected() {
    let machine = Machine::new();
    machine.release(ARCHIVE);
    machine.manifest(&format!("{OTHER}  {ARCHIVE}\n"));
    let got = machine.get(&[]);
    assert!(
        got.error().contains("checksum mismatch for "),
        "{}",
        got.log
    );
    assert_eq!(machine.cached_files(), [""; 0]);
}

#[test]
fn unknown_version_needs_a_checksum() {
    let machine = Machine::new();
    let archive = "leakgate-3.2.1-rc.1-x86_64-unknown-linux-musl.tar.gz";
    let sum = machine.release(archive);
    let got = machine.get(&[("LEAKGATE_VERSION", "3.2.1-rc.1")]);
    assert!(
        got.error()
            .contains("no known checksum for leakgate 3.2.1-rc.1 on Linux X64: set 'checksum'"),
        "{}",
        got.log
    );
    assert_eq!(machine.cached_files(), [""; 0]);

    let variables = [
        ("LEAKGATE_VERSION", "v3.2.1-rc.1"),
        ("LEAKGATE_CHECKSUM", &*sum.to_uppercase()),
    ];
    assert_eq!(machine.get(&variables).program_output(), "released");
    let wrong = [variables[0], ("LEAKGATE_CHECKSUM", OTHER)];
    assert!(
        machine.get(&wrong).error().contains("checksum mismatch"),
        "the cache has another checksum"
    );
}

#[test]
fn failed_download_is_retried() {
    let machine = Machine::new();
    let sum = machine.release(ARCHIVE);
    let bytes = fs::read(machine.releases().join(format!("v{VERSION}")).join(ARCHIVE)).unwrap();
    let server = Server::start(vec![(503, vec![]), (502, vec![]), (200, bytes)]);
    let got = machine.get(&[
        ("LEAKGATE_CHECKSUM", &sum),
        ("LEAKGATE_RELEASES", &server.address),
    ]);
    assert_eq!(got.program_output(), "released", "{}", got.log);
    assert_eq!(
        server.request_lines(),
        vec![format!("GET /v{VERSION}/{ARCHIVE} HTTP/1.1"); 3]
    );

    // A missing file is not retried.
    let server = Server::start(vec![(404, vec![])]);
    let got = machine.get(&[
        ("LEAKGATE_CHECKSUM", OTHER),
        ("LEAKGATE_RELEASES", &server.address),
    ]);
    assert!(got.error().contains("cannot download"), "{}", got.log);
}

#[test]
fn only_https_is_used_without_a_mirror() {
    let machine = Machine::new();
    machine.program("curl", "echo \"$@\" >&2; exit 22");
    let got = machine.get(&[("LEAKGATE_CHECKSUM", OTHER), ("LEAKGATE_RELEASES", "")]);
    assert!(
        got.log.starts_with("--proto =https --tlsv1.2 --fail "),
        "{}",
        got.log
    );
    let url =
        format!("https://github.com/leakgate/leakgate/releases/download/v{VERSION}/{ARCHIVE}");
    assert!(
        got.log
            .lines()
            .next()
            .unwrap()
            .ends_with(&format!(" -- {url}")),
        "{}",
        got.log
    );
    assert!(got.error().contains("cannot download"));
}

#[test]
fn source_is_built_once_if_no_archive_exists() {
    let machine = Machine::new();
    let got = machine.get(&[]);
    assert!(
        got.error()
            .contains("cargo was not found to build it: install Rust"),
        "{}",
        got.log
    );

    machine.cargo("1.95.0");
    let got = machine.get(&[]);
    assert_eq!(got.program_output(), "built", "{}", got.log);
    let called = format!(
        "{} build --release --locked --package leakgate",
        machine.action().display()
    );
    assert!(got.log.lines().any(|line| line == called), "{}", got.log);
    assert!(got.path.contains("/tools/leakgate/source-"), "{}", got.path);
    let end = "built from the action's source ";
    assert!(
        got.log.lines().any(|line| line.contains(end)),
        "{}",
        got.log
    );
    let again = machine.get(&[]).log;
    assert!(
        again.lines().count() == 1 && again.contains("built earlier"),
        "{again}"
    );

    // Changed source is built again.
    fs::write(machine.action().join("core/lib.rs"), "// changed").unwrap();
    assert_ne!(machine.get(&[]).path, got.path);

    machine.program("cargo", "echo cargo 1.95.0; test \"$1\" = --version");
    fs::write(machine.action().join("core/lib.rs"), "// broken").unwrap();
    assert!(
        machine
            .get(&[])
            .error()
            .contains("cannot build leakgate from the action's source")
    );
    assert_eq!(machine.cached_files().len(), 4);
}

#[test]
fn version_between_two_releases_never_uses_the_older_one() {
    let machine = Machine::new();
    let sum = machine.release(ARCHIVE);
    machine.manifest(&format!("{sum}  {ARCHIVE}\n"));
    let manifest = "[workspace.package]\nversion = \"7.9.0-dev\"\n";
    fs::write(machine.action().join("Cargo.toml"), manifest).unwrap();
    let error = machine.get(&[]).error();
    let start = "no archive of leakgate 7.9.0-dev exists for Linux X64, and cargo was not found";
    assert!(error.starts_with(start), "{error}");
}

#[test]
fn build_ignores_the_settings_of_the_project() {
    let machine = Machine::new();
    machine.cargo("1.96.0-nightly");
    let got = machine.get(&[
        ("RUSTFLAGS", "-Zsanitizer=address"),
        ("RUSTC_WRAPPER", "sccache"),
        ("CARGO_BUILD_TARGET", "wasm32-wasip1"),
        ("CARGO_PROFILE_RELEASE_LTO", "fat"),
        ("RUSTUP_TOOLCHAIN", "1.70"),
        ("CC", "clang -fsanitize=address"),
        ("CFLAGS", "-fsanitize=address"),
        ("CXXFLAGS", "-fsanitize=address\nCARGO_HOME=/tmp"),
        ("CFLAGS_x86_64-unknown-linux-gnu", "-fsanitize=address"),
        ("HOST_CFLAGS", "-fsanitize=address"),
        ("LDFLAGS", "-fsanitize=address"),
        ("AR", "llvm-ar"),
        ("CARGO_HOME", "/home/me/.cargo"),
    ]);
    assert_eq!(got.program_output(), "built", "{}", got.log);
    let (_, settings) = got.log.split_once("--package leakgate\n").unwrap();
    let settings: Vec<&str> = settings
        .lines()
        .filter(|line| line.contains('=') && !line.starts_with("CARGO_TARGET_DIR="))
        .collect();
    let want = [
        "CARGO_HOME=/home/me/.cargo",
        "CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16",
        "CARGO_PROFILE_RELEASE_LTO=off",
    ];
    assert_eq!(settings, want, "{}", got.log);
}

#[test]
fn build_uses_the_stable_toolchain_of_rustup() {
    let machine = Machine::new();
    machine.cargo("1.95.0");
    machine.program("rustup", "");
    let got = machine.get(&[("RUSTUP_TOOLCHAIN", "1.70")]);
    let uses = |toolchain: &str| {
        got.log
            .contains(&format!("\nRUSTUP_TOOLCHAIN={toolchain}\n"))
    };
    assert!(uses("stable") && !uses("1.70"), "{}", got.log);
    // Without a network, a missing toolchain can't be installed.
    let machine = Machine::new();
    machine.program("rustup", "");
    machine.cargo("1.95.0");
    let cargo = machine.path_of("cargo.real");
    fs::rename(machine.path_of("cargo"), &cargo).unwrap();
    let script = format!(
        "test -z \"$RUSTUP_TOOLCHAIN\" && exec {} \"$@\"",
        cargo.display()
    );
    machine.program("cargo", &script);
    assert_eq!(machine.get(&[]).program_output(), "built");
}

#[test]
fn old_toolchain_is_reported_before_the_build() {
    let machine = Machine::new();
    for version in ["1.94.1", "1.9.0", "0.100.0"] {
        machine.cargo(version);
        let error = machine.get(&[]).error();
        let want = format!("it needs Rust 1.95, found {version}");
        assert!(error.ends_with(&want), "{error}");
    }
    machine.program("cargo", "exit 1");
    let error = machine.get(&[]).error();
    assert!(error.ends_with("it needs Rust 1.95, found none"), "{error}");
    for version in ["1.95.0", "1.100.0-nightly", "2.0.0"] {
        let machine = Machine::new();
        machine.cargo(version);
        assert_eq!(machine.get(&[]).program_output(), "built", "{version}");
    }
}

#[test]
fn old_builds_are_removed_from_the_tool_cache() {
    let machine = Machine::new();
    machine.cargo("1.95.0");
    let build = |source: &str| {
        fs::write(machine.action().join("core/lib.rs"), source).unwrap();
        let path = machine.get(&[]).path;
        let entry = path.split('/').rev().nth(2).unwrap();
        (entry.to_owned(), path)
    };
    let (old, old_path) = build("// old");
    let (recent, recent_path) = build("// recent");
    machine.age(&old, 9);
    machine.age(&recent, 3);
    let (current, current_path) = build("// current");
    assert!(!Path::new(&old_path).exists());
    assert!(Path::new(&recent_path).exists());

    // A build that is used again stays, however old it is.
    machine.age(&current, 30);
    assert_eq!(build("// current").1, current_path);
    build("// new");
    assert!(Path::new(&current_path).exists());
    let sum = machine.release(ARCHIVE);
    machine.age(&current, 30);
    machine.get(&[("LEAKGATE_CHECKSUM", &sum)]);
    assert!(!Path::new(&current_path).exists());
}

#[test]
fn packed_release_can_be_unpacked() {
    let machine = Machine::new();
    let target = "x86_64-unknown-linux-musl";
    let built = format!(
        "mkdir -p target/{target}/release && cd target/{target}/release && \
         printf '#!/bin/sh\\necho packed\\n' >leakgate && chmod +x leakgate"
    );
    machine.program("cargo", &built);
    let sum = machine.archive(target);
    assert_eq!(
        machine.get(&[("LEAKGATE_CHECKSUM", &sum)]).program_output(),
        "packed"
    );
}

#[test]
fn installed_program_is_used() {
    let machine = Machine::new();
    let installed = [("LEAKGATE_VERSION", "installed")];
    assert!(
        machine
            .get(&installed)
            .error()
            .contains("leakgate was not found on PATH")
    );
    machine.program("leakgate", "echo installed");
    let got = machine.get(&installed);
    assert_eq!(got.program_output(), "installed");
    assert_eq!(
        got.log,
        format!("installed: installed, from {}\n", got.path)
    );
    machine.program("leakgate", "exit 3");
    let log = machine.get(&installed).log;
    assert!(log.contains("leakgate of unknown version"), "{log}");
}

#[test]
fn invalid_version_and_checksum_are_rejected() {
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
            error.contains("invalid 'version', expected one such as 0.1.0: "),
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
        assert!(
            error.contains("invalid 'checksum', expected "),
            "{sum}: {error}"
        );
    }
    assert_eq!(machine.cached_files(), [""; 0]);
}

#[test]
fn archive_name_depends_on_the_machine() {
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
        let url_end = format!("/v{VERSION}/leakgate-{VERSION}-{name}");
        let error = got.error();
        assert!(
            error.starts_with("cannot download ") && error.ends_with(&url_end),
            "{error}"
        );
    }
    for (system, cpu) in [("Linux", "ARM"), ("FreeBSD", "X64"), ("", "")] {
        let variables = [
            ("RUNNER_OS", system),
            ("RUNNER_ARCH", cpu),
            ("LEAKGATE_VERSION", "1.0.0"),
            ("LEAKGATE_CHECKSUM", OTHER),
        ];
        assert!(
            machine
                .get(&variables)
                .error()
                .contains("no known checksum for leakgate 1.0.0 on ")
        );
    }
}
