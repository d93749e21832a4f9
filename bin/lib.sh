# Shared by bin/dev and bin/test: makes sure that the machine has what the build and the stack need.
# shellcheck shell=bash

export PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin:/usr/sbin:/sbin"

say() { echo "hilt: $*" >&2; }
fail() {
    say "$*"
    exit 1
}

need_rust() {
    command -v cargo >/dev/null || fail "cargo was not found: install Rust with the commands on https://rustup.rs"
}

# Whether a program, or any match of a path pattern, is there.
have() { command -v "$1" >/dev/null || compgen -G "$1" >/dev/null; }

# need <program or pattern> <package>: notes the package if the program is missing.
missing=()
need() { have "$1" || missing+=("$2"); }

# Notes everything that the build and the stack use, then installs what is missing.
need_packages() {
    need cc gcc
    need pkg-config pkg-config
    need '/usr/lib/postgresql/*/bin/initdb' postgresql
    need nats-server nats-server
    need setpriv util-linux
    install_missing
}

install_missing() {
    [ ${#missing[@]} -eq 0 ] && return
    local wanted="${missing[*]}" as_root=()
    command -v apt-get >/dev/null || fail "these are missing and there is no apt-get to install them with: $wanted"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "these packages are missing and there is no sudo to install them with: $wanted"
        as_root=(sudo)
    fi
    say "installing $wanted"
    "${as_root[@]}" apt-get update -q || say "apt-get update failed; trying with the package lists that are there"
    # Debian's package would make and start a cluster of its own, which nobody here needs.
    local no_cluster=/etc/postgresql-common/createcluster.d/hilt.conf
    "${as_root[@]}" mkdir -p "$(dirname "$no_cluster")"
    echo 'create_main_cluster = false' | "${as_root[@]}" tee "$no_cluster" >/dev/null
    local installed=yes
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" || installed=no
    "${as_root[@]}" rm -f "$no_cluster"
    [ $installed = yes ] || fail "these packages could not be installed: $wanted (apt-get says why above)"
    missing=()
}
