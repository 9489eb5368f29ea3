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

# Chooses the toolchain for a build in this folder. With rustup, this is the stable one, because the project under
# test may have chosen an old one. Without a network it may be missing, and the chosen one is used after all.
choose_toolchain() {
    local needed found choices=('')
    needed=$(awk -F '"' '/^rust-version = / { print $2; exit }' "$1/Cargo.toml")
    if type -P rustup >/dev/null; then choices=(stable ''); fi
    for toolchain in "${choices[@]}"; do
        found=$(without_settings "$1" cargo --version </dev/null | awk '{ print $2; exit }') || found=''
        if is_at_least "$found" "$needed"; then return; fi
    done
    fail "cannot build leakgate from the action's source: it needs Rust $needed, found ${found:-none}"
}

# Succeeds if a version such as 1.97.0-nightly is at least another one.
is_at_least() {
    local digits='^[0-9]+(\.[0-9]+)*$' found needed
    [[ ${1%%-*} =~ $digits && $2 =~ $digits ]] || return 1
    IFS=. read -r -a found <<<"${1%%-*}"
    IFS=. read -r -a needed <<<"$2"
    ((found[0] > needed[0] || (found[0] == needed[0] && ${found[1]:-0} >= ${needed[1]:-0})))
}

# Runs a command in this folder with the chosen toolchain, and without settings of the project under test, such as
# flags for a sanitizer. `env` removes them, because bash can't if a name has dashes: CFLAGS_x86_64-apple-darwin.
without_settings() (
    cd -- "$1" || exit
    shift
    options=(-u RUSTFLAGS -u RUSTUP_TOOLCHAIN)
    while IFS='=' read -r name _; do
        case $name in
            RUSTC | RUSTC_* | CARGO_BUILD_* | CARGO_ENCODED_* | CARGO_PROFILE_* | CARGO_TARGET_* | CARGO_UNSTABLE_* | \
                CC | CC_* | CXX | CXX_* | CPP | CFLAGS | CFLAGS_* | CXXFLAGS | CXXFLAGS_* | CPPFLAGS | CXXSTDLIB | \
                CXXSTDLIB_* | LD | LDFLAGS | AR | AR_* | ARFLAGS | ARFLAGS_* | AS | NM | RANLIB | RANLIB_* | \
                RANLIBFLAGS | RANLIBFLAGS_* | HOST_* | TARGET_* | CRATE_CC_* | CL | _CL_ | LINK | _LINK_)
                options+=(-u "$name") ;;
        esac
    done <<<"$(env)"
    if [[ -n $toolchain ]]; then options+=("RUSTUP_TOOLCHAIN=$toolchain"); fi
    env "${options[@]}" "$@"
)

# Builds leakgate in this folder. Link-time optimization would take longer than everything else.
build() {
    without_settings "$1" CARGO_TARGET_DIR="$2" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo build --release --locked --package leakgate
}

# Removes what other builds and failed installations have left in a tool cache, except for the current entry, if it
# wasn't used for a week. Until then, another job on this machine may use it.
remove_old_builds() {
    find "$1" -maxdepth 1 \( -name 'source-*' -o -name '.new.*' \) ! -name "$2" -mtime +7 \
        -exec rm -rf {} + 2>/dev/null || true
}
