#!/usr/bin/env bash
# Gets leakgate for this runner, and writes where it is to the output `path` of the step.
#
# In this order: the program on PATH, when `installed` is asked for; the tool cache; the archive of the release,
# held against its SHA-256 before it is unpacked; and, where this version has no archive for the machine,
# a build of the action's own source. Nothing is ever used that was downloaded and not verified.
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
        fail "This action knows no archive of leakgate $version for $RUNNER_OS $RUNNER_ARCH: give 'checksum', or leave 'version' out."
    else
        use_source
    fi
}

use_installed() {
    local path
    path=$(type -P leakgate) || fail "'version' is 'installed', and there is no leakgate on PATH."
    output "$path"
}

# The version asked for, or the action's own, and the checksum asked for.
choose_version() {
    version=${LEAKGATE_VERSION:-$(awk -F '"' '/^version = / { print $2; exit }' "$root/Cargo.toml")}
    version=${version#v}
    local dotted='[0-9A-Za-z]+(\.[0-9A-Za-z]+)*'
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-$dotted)?$ ]] || fail "'version' is no version such as 0.1.0: $version"
    checksum=$(tr '[:upper:]' '[:lower:]' <<<"${LEAKGATE_CHECKSUM:-}")
    [[ -z $checksum || $checksum =~ ^[0-9a-f]{64}$ ]] || fail "'checksum' is no SHA-256, which has 64 hexadecimal digits: $checksum"
}

# What the release calls the archive for this machine; empty where there is none.
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

# The checksum asked for, or that of the manifest; empty where neither is there.
choose_checksum() {
    if [[ -z $archive ]]; then
        checksum=''
    elif [[ -z $checksum ]]; then
        checksum=$(awk -v name="$archive" '{ sub(/\r$/, "") } $2 == name { print $1; exit }' "$setup/checksums.txt")
    fi
}

# The tool cache, or the runner's temporary folder where that is not ours to write.
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
    if is_kept "$folder" "$checksum"; then
        output "$folder/$program"
        return
    fi
    url=${LEAKGATE_RELEASES:-https://github.com/leakgate/leakgate/releases/download}/v$version/$archive
    download "$url" "$work/$archive" || fail "$url could not be downloaded."
    found=$(sha256 "$work/$archive")
    [[ $found == "$checksum" ]] || fail "$url is not what was released: its SHA-256 is $found, and $checksum is expected."
    unpack "$work/$archive" "$name/$program" "$work" || fail "$url could not be unpacked."
    keep "$work/$name" "$folder" "$checksum"
}

use_source() {
    local origin folder
    origin=$(hash_of_sources "$root")
    folder=$tools/source-${origin:0:16}/$RUNNER_ARCH
    if is_kept "$folder" "$origin"; then
        output "$folder/$program"
        return
    fi
    type -P cargo >/dev/null ||
        fail "There is no archive of leakgate $version for $RUNNER_OS $RUNNER_ARCH, and no cargo to build it: install Rust, or give 'version'."
    echo "There is no archive of leakgate $version for $RUNNER_OS $RUNNER_ARCH; it is built once, which takes some minutes."
    build "$root" "$work/target" || fail "leakgate could not be built from the action's source."
    mkdir "$work/built"
    cp "$work/target/release/$program" "$work/built/"
    keep "$work/built" "$folder" "$origin"
}

# True when the cache holds the program of this origin, unchanged.
is_kept() {
    local folder=$1 origin=$2
    [[ -f $folder.complete && -f $folder/$program ]] &&
        [[ $(<"$folder.complete") == "$origin $(sha256 "$folder/$program")" ]]
}

# Moves a finished folder into the cache. The mark comes last, so that half of it is never taken for all.
keep() {
    local made=$1 folder=$2 origin=$3
    rm -rf "$folder" "$folder.complete"
    mkdir -p "$(dirname -- "$folder")"
    mv "$made" "$folder"
    echo "$origin $(sha256 "$folder/$program")" >"$work/complete"
    mv "$work/complete" "$folder.complete"
    output "$folder/$program"
}

main
