# shellcheck shell=bash
# Helpers of get.sh: a function for each tool whose name or options differ between systems.

# Exits with an error that GitHub shows on the job. The message may contain text of an input, so it is escaped.
fail() {
    local text=$1
    text=${text//'%'/'%25'}
    text=${text//$'\r'/'%0D'}
    text=${text//$'\n'/'%0A'}
    echo "::error title=leakgate::$text" >&2
    exit 2
}

# Prints what is installed and from where, and writes the path of the program to the output, in the form that
# PowerShell understands on Windows.
output() {
    local path=$1 origin=$2
    echo "installed: $origin"
    if type -P cygpath >/dev/null; then path=$(cygpath -w "$path"); fi
    echo "path=$path" >>"${GITHUB_OUTPUT:-/dev/stdout}"
}

# Prints a path in the form that bash and tar understand, also on Windows.
posix() {
    if [[ -n $1 ]] && type -P cygpath >/dev/null; then cygpath -u "$1"; else echo "$1"; fi
}

if type -P sha256sum >/dev/null; then digest=(sha256sum); else digest=(shasum -a 256); fi

sha256() {
    "${digest[@]}" <"$1" | cut -d ' ' -f 1
}

# A mirror may be a directory or use plain HTTP, because the checksum verifies the archive.
download() {
    local protocols='=https'
    [[ -z ${LEAKGATE_RELEASES:-} ]] || protocols='=https,http,file'
    type -P curl >/dev/null ||
        fail "curl not found, which is needed to download leakgate: install curl, or install leakgate and set 'version: installed'"
    curl --proto "$protocols" --tlsv1.2 --fail --silent --show-error --location --connect-timeout 20 --max-time 600 \
        --retry 5 --retry-connrefused --output "$2" -- "$1"
}

# Extracts a file from an archive. Windows always has bsdtar, which reads zip files, but not always unzip.
unpack() {
    local archive=$1 member=$2 folder=$3 tar=tar
    if [[ $archive == *.zip ]]; then
        if type -P unzip >/dev/null; then
            unzip -q "$archive" "$member" -d "$folder"
            return
        fi
        tar=$(posix "$SYSTEMROOT")/System32/tar.exe
        archive=$(cygpath -w "$archive") folder=$(cygpath -w "$folder")
    fi
    "$tar" -xf "$archive" -C "$folder" "$member"
}

# Prints a hash of all files that a build of this source depends on.
hash_of_sources() {
    (cd "$1" && find Cargo.toml Cargo.lock core action -type f ! -path '*/tests/*' -print0 | LC_ALL=C sort -z |
        xargs -0 "${digest[@]}" | "${digest[@]}" | cut -d ' ' -f 1)
}

# Builds leakgate without the flags of the project under test, such as those for a sanitizer.
build() {
    (cd "$1" && unset RUSTFLAGS "${!RUSTC_@}" "${!CARGO_ENCODED_@}" "${!CARGO_BUILD_@}" "${!CARGO_TARGET_@}" "${!CARGO_PROFILE_@}" &&
        CARGO_TARGET_DIR="$2" cargo build --release --locked --package leakgate)
}
