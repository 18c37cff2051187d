#!/bin/bash
# Installs facesecure as a service, or updates it: `sudo make install`. Running it again changes nothing. Your
# configuration, key and state are never changed.
#
#   DESTDIR=DIR      install the files under DIR, without a key, and leave this machine unchanged, to build a package
#   EXTRAS=A,B       optional extras of facesecure, such as offline-voice
#   PACKAGE=FILE     the wheel to install; default: one built from this folder
#
# Packages are those of the lock files in requirements/, and are used only with the SHA-256 that stands there.
set -euo pipefail
umask 022
source=$(cd "$(dirname "$0")/.." && pwd)
root=${DESTDIR:-}
venv=$root/opt/facesecure
etc=$root/etc/facesecure
lib=$root/usr/local/lib
changed=no
scratch=
trap '[ -z "$scratch" ] || rm -rf "$scratch"' EXIT

main() {
    [ -n "$root" ] || [ "$(id -u)" = 0 ] || fail "this changes the system: sudo make install"
    # Of the programs, since a 64-bit kernel may run a 32-bit system.
    [ "$(getconf LONG_BIT)" = 64 ] || fail "this is a 32-bit system, and the TFLite interpreter exists for 64-bit systems" \
        "only: install Raspberry Pi OS (64-bit)"
    [ -n "$root" ] || packages
    environment
    files
    secrets
    [ -n "$root" ] || machine
    report
}

fail() {
    echo "error: $*" >&2
    exit 1
}

# picamera2 and systemd-python come from apt, and are visible to Debian's own Python.
packages() {
    command -v apt-get >/dev/null || return 0
    local wanted=(python3-venv python3-systemd)
    ! apt-cache show python3-picamera2 >/dev/null 2>&1 || wanted+=(python3-picamera2)
    dpkg --status "${wanted[@]}" >/dev/null 2>&1 && return
    echo "installing ${wanted[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
}

environment() {
    /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "facesecure needs Python 3.11 or newer"
    if ! "$venv/bin/python" -c '' 2>/dev/null; then
        echo "creating $venv"
        /usr/bin/python3 -m venv --clear --system-site-packages "$venv"
    fi
    local wheel=${PACKAGE:-} stamp
    extras
    if [ -z "$wheel" ]; then
        unpack_beside
        build wheel --no-deps --wheel-dir "$scratch" "$source"
        wheel=$(echo "$scratch"/*.whl)
    fi
    stamp="$(sha256sum <"$wheel") $(/usr/bin/python3 --version) ${EXTRAS:-} $(cat "${locks[@]}" | sha256sum)"
    [ "$stamp" != "$(cat "$venv/.installed" 2>/dev/null)" ] || return 0
    echo "installing facesecure and its dependencies; the first time takes some minutes"
    unpack_beside
    locked "${locks[@]/#/--requirement=}"
    pip install --no-deps --force-reinstall "$wheel" # the same version may have been built from other code
    if ! "$venv/bin/python" -c 'import systemd.daemon' 2>/dev/null; then
        build install --use-pep517 --no-deps --require-hashes --requirement "$source/requirements/systemd.txt" \
            || fail "systemd-python is missing: install your distribution's package"
    fi
    camera_libraries
    [ -z "$root" ] || sed -i "1s|^#!$root/|#!/|" "$venv"/bin/*
    echo "$stamp" >"$venv/.installed"
    changed=yes
}

# The lock files of the daemon and of the EXTRAS, in `locks`.
extras() {
    local extra wanted=${EXTRAS:-}
    locks=("$source/requirements/base.txt")
    for extra in ${wanted//,/ }; do
        [ -e "$source/requirements/$extra.txt" ] || fail "there is no extra $extra: there are offline-voice, charts, heic, hub, notify, training, s3, gdrive"
        locks+=("$source/requirements/$extra.txt")
    done
}

# locked ARGUMENT...: install what lock files list. Only wheels: nothing is built, so no foreign code runs meanwhile.
locked() {
    pip install --no-deps --require-hashes --only-binary :all: "$@"
}

# build COMMAND ARGUMENT...: run pip with the locked build backends, which are not installed for good.
build() {
    unpack_beside
    [ -d "$scratch/build" ] || locked --target "$scratch/build" --requirement "$source/requirements/build.txt"
    local command=$1
    shift
    PYTHONPATH=$scratch/build pip "$command" --no-build-isolation "$@"
}

# pip unpacks some 400 MB, and /tmp may be memory: half of a small board's.
unpack_beside() {
    [ -n "$scratch" ] || scratch=$(mktemp -d "$(dirname "$venv")/.facesecure.XXXXXX")
    export TMPDIR=$scratch
}

# Raspberry Pi OS Bookworm's own simplejpeg is built for numpy 1, and picamera2 cannot be imported with it beside the
# numpy 2 of this environment: "numpy.dtype size changed".
camera_libraries() {
    "$venv/bin/python" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("picamera2") is None)' || return 0
    locked --requirement "$source/requirements/camera.txt" \
        || fail "the Pi's camera needs simplejpeg 1.8 or newer, which could not be installed"
}

pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"
}

files() {
    put 644 facesecure.service "$lib/systemd/system/facesecure.service"
    put 644 facesecure-web.socket "$lib/systemd/system/facesecure-web.socket"
    put 644 facesecure-web.service "$lib/systemd/system/facesecure-web.service"
    put 644 facesecure.sysusers "$lib/sysusers.d/facesecure.conf"
    put 644 facesecure.tmpfiles "$lib/tmpfiles.d/facesecure.conf"
    put 755 facesecure.sh "$root/usr/local/bin/facesecure"
}

put() {
    cmp -s "$source/systemd/$2" "$3" && return
    install -D -m "$1" "$source/systemd/$2" "$3"
    changed=yes
}

# Created once, and never changed again.
secrets() {
    mkdir -p "$etc"
    if [ ! -e "$etc/facesecure.toml" ]; then
        (umask 077 && "$venv/bin/python" -m facesecure config example >"$etc/facesecure.toml.new")
        mv "$etc/facesecure.toml.new" "$etc/facesecure.toml"
    fi
    # A key in a package would be the same on every machine: the package makes one where it is installed, with
    # `facesecure key make /etc/facesecure/key` before `systemd-tmpfiles --create facesecure.conf`.
    [ -n "$root" ] || [ -e "$etc/key" ] || "$venv/bin/python" - "$etc/key" <<'PYTHON'
import sys
from pathlib import Path
from facesecure.storage.keys import make_key
make_key(Path(sys.argv[1]))
PYTHON
}

machine() {
    systemd-sysusers "$lib/sysusers.d/facesecure.conf"
    systemd-tmpfiles --create "$lib/tmpfiles.d/facesecure.conf"
    [ -d /run/systemd/system ] && [ "$changed" = yes ] || return 0
    systemctl daemon-reload
    systemctl try-restart facesecure
    systemctl stop facesecure-web.service # the next browser starts the new one
    systemctl try-restart facesecure-web.socket
}

report() {
    [ "$changed" = yes ] || echo "facesecure is up to date"
    if systemctl --quiet is-active facesecure 2>/dev/null; then
        echo "facesecure is running: systemctl status facesecure"
    else
        cat <<'TEXT'
Next:
  sudo facesecure enroll NAME --images PHOTOS      enrol a person of your household
  sudoedit /etc/facesecure/facesecure.toml         set the camera and the alerts
  sudo facesecure doctor                           check everything
  sudo systemctl enable --now facesecure           start it now and at every boot
TEXT
    fi
    systemctl --quiet is-enabled facesecure-web.socket 2>/dev/null || cat <<'TEXT'
The page for phones and browsers, if you want it (docs/page.md; a proxy with a certificate may stand in front instead):
  sudo facesecure web certificate                  make a certificate for this machine
  sudo systemctl enable --now facesecure-web.socket   open the page, on port 8443
  sudo facesecure web setup                        make the first account
TEXT
}

main
