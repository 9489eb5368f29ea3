# shellcheck shell=bash
# What get.sh asks of the machine: one function for each tool whose name or options differ between systems.

# Ends with one sentence that GitHub shows at the job. It may hold text of an input, so it is escaped.
fail() {
    local text=$1
    text=${text//'%'/'%25'}
    text=${text//$'\r'/'%0D'}
    text=${text//$'\n'/'%0A'}
    echo "::error title=leakgate::$text" >&2
    exit 2
}

output() {
    echo "path=$1" >>"${GITHUB_OUTPUT:-/dev/stdout}"
}

# A path as bash and tar understand it, on Windows too.
posix() {
    if [[ -n $1 ]] && type -P cygpath >/dev/null; then cygpath -u "$1"; else echo "$1"; fi
}

if type -P sha256sum >/dev/null; then digest=(sha256sum); else digest=(shasum -a 256); fi

sha256() {
    "${digest[@]}" <"$1" | cut -d ' ' -f 1
}

# A mirror may be a folder or speak plain HTTP: the checksum proves the archive, not the way it came.
download() {
    local protocols='=https'
    [[ -z ${LEAKGATE_RELEASES:-} ]] || protocols='=https,http,file'
    type -P curl >/dev/null || fail "There is no curl to download leakgate with: install it, or bring leakgate along and say 'version: installed'."
    curl --proto "$protocols" --tlsv1.2 --fail --silent --show-error --location --connect-timeout 20 --max-time 600 \
        --retry 5 --retry-connrefused --output "$2" -- "$1"
}

# One member of an archive. Windows always has bsdtar, which reads zip, and not always unzip.
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

# One hash for all that a build of this source depends on.
hash_of_sources() {
    (cd "$1" && find Cargo.toml Cargo.lock core action -type f ! -path '*/tests/*' -print0 | LC_ALL=C sort -z |
        xargs -0 "${digest[@]}" | "${digest[@]}" | cut -d ' ' -f 1)
}

# The flags of the project under test, a sanitizer above all, are not for leakgate.
build() {
    (cd "$1" && unset RUSTFLAGS "${!RUSTC_@}" "${!CARGO_ENCODED_@}" "${!CARGO_BUILD_@}" "${!CARGO_TARGET_@}" "${!CARGO_PROFILE_@}" &&
        CARGO_TARGET_DIR="$2" cargo build --release --locked --package leakgate)
}
