#!/bin/bash
# Run the wheel, its dependencies' aarch64 wheels, the bundled models and the demo as a 64-bit Pi would: in an arm64
# Debian, with qemu's user-mode emulation. Needs root (chroot), some 700 MB and, the first time, the network.
#
#   arm64.sh [bookworm|trixie]              Python 3.11 or 3.13; default bookworm
#   arm64.sh bookworm|trixie PACKAGE.deb    the files of the Debian package instead; its scripts are not run
set -euo pipefail
source "$(dirname "$0")/common.sh"

suite=${1:-bookworm}
package=${2:-}
case $suite in
    bookworm) python=3.11 ssl=libssl3 ;;
    trixie) python=3.13 ssl=libssl3t64 ;;
    *) echo "no such suite: $suite (bookworm or trixie)" >&2; exit 2 ;;
esac
root=$chroots/arm64-$suite

make_root() {
    need mmdebstrap qemu-user-static arch-test
    echo "making an arm64 $suite in $root"
    $as_root rm -rf "$root"
    mkdir -p "$chroots"
    # "extract" unpacks and runs nothing: maintainers' scripts would need the kernel to know about qemu.
    $as_root mmdebstrap --quiet --variant=extract --architectures=arm64 --include="base-files,base-passwd,libc6,\
python$python,libpython$python-stdlib,libstdc++6,libgcc-s1,zlib1g,$ssl,libffi8,libsystemd0,ca-certificates,dash,\
coreutils,libexpat1,libgomp1,libsqlite3-0,libbz2-1.0,liblzma5,libuuid1,libncursesw6,libreadline8" "$suite" "$root" "$mirror"
    for folder in bin sbin lib; do # the packages' scripts would have made these
        [ -e "$root/$folder" ] || $as_root ln -s "usr/$folder" "$root/$folder"
    done
    $as_root cp /usr/bin/qemu-aarch64-static "$root/usr/bin/"
    $as_root mkdir -p "$root/proc" "$root/dev" "$root/tmp" "$root/site"
}

# One wheel as it would be published, without what it depends on.
make_wheel() {
    rm -rf "$built"
    "$repository/.venv/bin/python" -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation \
        --wheel-dir "$built" "$repository"
}

# Into a chroot's folder "site", as pip would.
install_wheels() {
    local lock=$repository/requirements/base.txt
    make_wheel
    if stale "$root/.site" "$lock"; then
        $as_root rm -rf "$root/site"
        wheels "$root/site" "$python" aarch64 --no-deps --require-hashes --requirement "$lock"
        stamped "$root/.site" "$lock"
    fi
    wheels "$root/site" "$python" aarch64 --no-deps --force-reinstall "$built"/*.whl
    program=(PYTHONPATH=/site PYTHONDONTWRITEBYTECODE=1 /usr/bin/qemu-aarch64-static "/usr/bin/python$python")
}

# What dpkg would unpack. Its bytecode is kept from one command to the next: compiling is slow when emulated.
unpack_package() {
    $as_root rm -rf "$root/usr/lib/facesecure"
    $as_root dpkg-deb --extract "$package" "$root"
    emulated_python /usr/lib/facesecure/bin/python
    program=(/usr/lib/facesecure/bin/python -I -W ignore::RuntimeWarning)
}

# The kernel starts no arm64 program, and facesecure starts its own Python, to decode images, so a script that starts qemu is put
# in its place.
emulated_python() {
    local qemu=/usr/bin/qemu-aarch64-static
    $as_root rm "$root$1"
    $as_root tee "$root$1" >/dev/null <<PYTHON
#!$qemu /usr/bin/python$python
import os, sys
os.execv("$qemu", ["qemu", "-0", "$1", "/usr/bin/python$python", *sys.argv[1:]])
PYTHON
    $as_root chmod 755 "$root$1"
}

# qemu 7.2 sets floating-point flags that a real processor does not, and numpy warns of them; the results are right.
emulated() {
    inside "$root" PYTHONWARNINGS=ignore::RuntimeWarning MPLCONFIGDIR=/tmp FACESECURE_STATE_DIR=/tmp/state "${program[@]}" "$@"
}

built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
stale "$root/.made" "$0" "$repository/tests/chroots/common.sh" && { make_root; stamped "$root/.made" "$0" "$repository/tests/chroots/common.sh"; }
if [ -n "$package" ]; then unpack_package; else install_wheels; fi

emulated -c 'import platform, sys; print(platform.machine(), "Python", sys.version.split()[0])'
emulated -m facesecure --version
emulated -m facesecure models verify
emulated -m facesecure demo --out /tmp/demo
echo "aarch64 ($suite, Python $python): $([ -n "$package" ] && echo "the package" || echo "the wheel"), its models and its demo work"
