#!/usr/bin/env bash
# Installs leakgate for this runner, and writes its path to the output `path` of the step.
#
# Tries, in this order: the program on PATH, if the version is `installed`; the tool cache; the release archive,
# whose SHA-256 is verified before it is unpacked; and, if this version has no archive for the machine, a build of
# the action's own source. An unverified download is never used.
set -euo pipefail

setup=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -- "$setup/../.." && pwd)
# shellcheck source=action/setup/tools.sh
source "$setup/tools.sh"

main() {
    if [[ ${LEAKGATE_VERSION:-} == installed ]]; then
        use_installed
        return
    fi
    choose_version
    choose_archive
    choose_checksum
    choose_cache
    if [[ -n $checksum ]]; then
        use_release
    elif [[ -n ${LEAKGATE_VERSION:-} ]]; then
        fail "no known checksum for leakgate $version on $RUNNER_OS $RUNNER_ARCH: set 'checksum', or remove 'version'"
    else
        use_source
    fi
}

use_installed() {
    local path
    path=$(type -P leakgate) || fail "'version' is 'installed', but leakgate was not found on PATH"
    output "$path" "$("$path" --version </dev/null 2>/dev/null || echo 'leakgate of unknown version'), from $path"
}

# Sets the requested version, or else the action's own, and the requested checksum.
choose_version() {
    version=${LEAKGATE_VERSION:-$(awk -F '"' '/^version = / { print $2; exit }' "$root/Cargo.toml")}
    version=${version#v}
    local dotted='[0-9A-Za-z]+(\.[0-9A-Za-z]+)*'
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-$dotted)?$ ]] ||
        fail "invalid 'version', expected one such as 0.1.0: $version"
    checksum=$(tr '[:upper:]' '[:lower:]' <<<"${LEAKGATE_CHECKSUM:-}")
    [[ -z $checksum || $checksum =~ ^[0-9a-f]{64}$ ]] ||
        fail "invalid 'checksum', expected 64 hexadecimal digits of a SHA-256: $checksum"
}

# Sets the name of the release archive for this machine; empty if none exists.
choose_archive() {
    local cpu system
    case ${RUNNER_ARCH:=unknown} in
        X64) cpu=x86_64 ;;
        ARM64) cpu=aarch64 ;;
        *) cpu='' ;;
    esac
    kind=tar.gz program=leakgate
    case ${RUNNER_OS:=unknown} in
        Linux) system=unknown-linux-musl ;;
        macOS) system=apple-darwin ;;
        Windows) system=pc-windows-msvc kind=zip program=leakgate.exe ;;
        *) system='' ;;
    esac
    name='' archive=''
    [[ -n $cpu && -n $system ]] || return 0
    name=leakgate-$version-$cpu-$system
    archive=$name.$kind
}

# Sets the requested checksum, or else that of the manifest; empty without either.
choose_checksum() {
    if [[ -z $archive ]]; then
        checksum=''
    elif [[ -z $checksum ]]; then
        checksum=$(awk -v name="$archive" '{ sub(/\r$/, "") } $2 == name { print $1; exit }' "$setup/checksums.txt")
    fi
}

# Uses the tool cache, or the runner's temporary directory if the tool cache is not writable.
choose_cache() {
    tools=$(posix "${RUNNER_TOOL_CACHE:-}")/leakgate
    if [[ $tools == /leakgate ]] || ! mkdir -p "$tools" 2>/dev/null || [[ ! -w $tools ]]; then
        tools=$(posix "${RUNNER_TEMP:-${TMPDIR:-/tmp}}")/leakgate
        mkdir -p "$tools"
    fi
    work=$(mktemp -d "$tools/.new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
}

use_release() {
    local folder=$tools/$version/$RUNNER_ARCH url found
    remove_old_builds "$tools" ''
    if is_cached "$folder" "$checksum"; then
        output "$folder/$program" "leakgate $version, from the tool cache $folder"
        return
    fi
    url=${LEAKGATE_RELEASES:-https://github.com/leakgate/leakgate/releases/download}/v$version/$archive
    download "$url" "$work/$archive" || fail "cannot download $url"
    found=$(sha256 "$work/$archive")
    [[ $found == "$checksum" ]] || fail "checksum mismatch for $url: expected SHA-256 $checksum, found $found"
    unpack "$work/$archive" "$name/$program" "$work" || fail "cannot unpack $url"
    add_to_cache "$work/$name" "$folder" "$checksum"
    output "$folder/$program" "leakgate $version, from $url"
}

use_source() {
    local origin entry folder
    origin=$(hash_of_sources "$root")
    entry=source-${origin:0:16}
    folder=$tools/$entry/$RUNNER_ARCH
    remove_old_builds "$tools" "$entry"
    if is_cached "$folder" "$origin"; then
        # This is the time of the last use.
        touch "$tools/$entry" 2>/dev/null || true
        output "$folder/$program" "leakgate $version, built earlier from the action's source, from the tool cache $folder"
        return
    fi
    local missing="no archive of leakgate $version exists for $RUNNER_OS $RUNNER_ARCH"
    type -P cargo >/dev/null ||
        fail "$missing, and cargo was not found to build it: install Rust, or set 'version'"
    choose_toolchain "$root"
    echo "$missing; building it once, which takes a few minutes"
    build "$root" "$work/target" || fail "cannot build leakgate from the action's source"
    mkdir "$work/built"
    cp "$work/target/release/$program" "$work/built/"
    add_to_cache "$work/built" "$folder" "$origin"
    output "$folder/$program" "leakgate $version, built from the action's source ${origin:0:16}"
}

# Succeeds if the cache contains the program of this origin, unchanged.
is_cached() {
    local folder=$1 origin=$2
    [[ -f $folder.complete && -f $folder/$program ]] &&
        [[ $(<"$folder.complete") == "$origin $(sha256 "$folder/$program")" ]]
}

# Moves a finished directory into the cache. The marker is written last, because only it makes the entry valid.
add_to_cache() {
    local finished=$1 folder=$2 origin=$3
    rm -rf "$folder" "$folder.complete"
    mkdir -p "$(dirname -- "$folder")"
    mv "$finished" "$folder"
    echo "$origin $(sha256 "$folder/$program")" >"$work/complete"
    mv "$work/complete" "$folder.complete"
}

main
