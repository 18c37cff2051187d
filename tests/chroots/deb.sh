#!/bin/bash
# Make a small Debian in which the package is tried, and print its folder. Needs root (chroot), some 250 MB and, the first
# time, the network.
#
#   deb.sh [bookworm|trixie]      default bookworm
set -euo pipefail
source "$(dirname "$0")/common.sh"

suite=${1:-bookworm}
root=$chroots/deb-$suite
recipe=("$0" "$repository/tests/chroots/common.sh")

make_root() {
    need mmdebstrap
    $as_root rm -rf "$root"
    mkdir -p "$chroots"
    $as_root mmdebstrap --quiet --variant=minbase --include=systemd,python3,python3-systemd,debconf,procps "$suite" "$root" "$mirror"
}

stale "$root/.made" "${recipe[@]}" && { make_root >&2; stamped "$root/.made" "${recipe[@]}"; }
echo "$root"
