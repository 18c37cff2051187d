#!/bin/bash
# Build the Debian package in out/: `make deb`, or deb/build.sh [bookworm|trixie] [amd64|arm64].
#
# One package a suite and architecture, since each suite has one Python. Its dependencies are the wheels of
# requirements/base.txt, with the hashes that stand there, in /usr/lib/facesecure. The same commit makes the same
# bytes: every date is that of the commit. Nothing of another architecture is run, so any machine builds all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/chroots/common.sh

suite=${1:-bookworm}
architecture=${2:-$(dpkg --print-architecture)}
case $suite in
    bookworm) python=3.11 next=3.12 release=12 ;;
    trixie) python=3.13 next=3.14 release=13 ;;
    *) echo "no such suite: $suite (bookworm or trixie)" >&2; exit 2 ;;
esac
case $architecture in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    *) echo "no such architecture: $architecture (amd64 or arm64)" >&2; exit 2 ;;
esac

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1700000000)}
export SOURCE_DATE_EPOCH PYTHONDONTWRITEBYTECODE=1 TZ=UTC LC_ALL=C.UTF-8
own=.venv/bin/python
program=$($own -m deb.version)
version=$program~deb${release}
work=$(mktemp -d "${TMPDIR:-/var/tmp}/facesecure-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
root=$work/root
home=$root/usr/lib/facesecure
site=$home/lib/python$python/site-packages
documents=$root/usr/share/doc/facesecure

main() {
    umask 022
    environment
    units
    documents
    control
    pack
}

# A virtual environment of the system's Python, which also sees what apt installs: python3-systemd and python3-picamera2.
environment() {
    echo "taking the packages of requirements/base.txt for Python $python on $machine"
    mkdir -p "$site" "$home/bin"
    as_root="" wheels "$site" "$python" "$machine" --no-deps --no-compile --require-hashes \
        --requirement requirements/base.txt --requirement requirements/camera.txt --requirement requirements/hub.txt
    $own -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work" .
    as_root="" wheels "$site" "$python" "$machine" --no-deps --no-compile "$work"/*.whl
    # What nothing here uses: the packages' own tests and programs, the training that wants TensorFlow, and compilers for
    # telephones' accelerators, which look for more libraries in the current folder.
    rm -rf "$site/bin" "$site/facesecure_training" "$site/ai_edge_litert/vendors"
    find "$site" -depth -type d \( -name tests -o -name test -o -name __pycache__ \) -not -path "$site/facesecure/*" -exec rm -rf {} +
    find "$site" -name direct_url.json -delete
    $own -m deb.records "$site"
    find "$site" -type f -exec chmod 644 {} +
    ln -s ../../../bin/python3 "$home/bin/python"
    printf 'home = /usr/bin\ninclude-system-site-packages = true\nversion = %s\n' "$python" >"$home/pyvenv.cfg"
}

# The units of systemd/, with the package's folder in place of that of `make install`.
units() {
    local unit
    for unit in facesecure.service facesecure-web.service facesecure-web.socket; do
        ours "$unit" "$root/usr/lib/systemd/system/$unit"
    done
    ours facesecure.sysusers "$root/usr/lib/sysusers.d/facesecure.conf"
    ours facesecure.tmpfiles "$root/usr/lib/tmpfiles.d/facesecure.conf"
    ours facesecure.sh "$root/usr/bin/facesecure" 755
    mkdir -p "$root/etc/facesecure"
    $own -m facesecure config example >"$root/etc/facesecure/facesecure.toml"
}

# ours FILE TO [MODE]
ours() {
    mkdir -p "$(dirname "$2")"
    sed 's|/opt/facesecure|/usr/lib/facesecure|g; s|sudo make install|sudo apt install ./facesecure_*.deb|g' "systemd/$1" >"$2"
    chmod "${3:-644}" "$2"
}

documents() {
    local completions=$root/usr/share
    mkdir -p "$documents" "$root/usr/share/man/man1" "$completions/bash-completion/completions" \
        "$completions/zsh/vendor-completions" "$completions/fish/vendor_completions.d" "$root/usr/share/lintian/overrides"
    $own -m deb.manual | gzip -9n >"$root/usr/share/man/man1/facesecure.1.gz"
    $own -m deb.completion bash >"$completions/bash-completion/completions/facesecure"
    $own -m deb.completion zsh >"$completions/zsh/vendor-completions/_facesecure"
    $own -m deb.completion fish >"$completions/fish/vendor_completions.d/facesecure.fish"
    $own -m supply_chain.sbom --out "$documents/sbom.json"
    install -m 644 docs/third-party.md NOTICE "$documents/"
    $own -m deb.copyright "$site" >"$documents/copyright"
    $own -m deb.changelog "$version" "$SOURCE_DATE_EPOCH" | gzip -9n >"$documents/changelog.gz"
    install -m 644 deb/lintian-overrides "$root/usr/share/lintian/overrides/facesecure"
}

control() {
    local script
    mkdir "$root/DEBIAN"
    for script in preinst postinst prerm postrm config; do
        sed "s|@VERSION@|$version|g" "deb/scripts/$script" >"$root/DEBIAN/$script"
        chmod 755 "$root/DEBIAN/$script"
    done
    install -m 644 deb/scripts/templates "$root/DEBIAN/templates"
    echo /etc/facesecure/facesecure.toml >"$root/DEBIAN/conffiles"
    (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    cat >"$root/DEBIAN/control" <<CONTROL
Package: facesecure
Version: $version
Architecture: $architecture
Maintainer: The facesecure authors <facesecure@localhost>
Installed-Size: $(du -k -s --apparent-size "$root" | cut -f1)
Depends: python3 (>= $python), python3 (<< $next), python3-systemd, procps, systemd (>= 250) | systemd-standalone-sysusers, systemd (>= 250) | systemd-standalone-tmpfiles, debconf (>= 1.5) | debconf-2.0, libc6 (>= 2.36), libstdc++6, zlib1g
Recommends: espeak-ng, alsa-utils
Suggests: python3-picamera2
Section: misc
Priority: optional
Description: face recognition for the front door
 A daemon that watches the camera at the front door, recognises the people who
 live here, and announces strangers on a Google Home, a loudspeaker or by
 message. Everything runs on this machine; faces are stored encrypted.
 .
 The libraries it needs are inside, at the versions it was tested with.
CONTROL
}

pack() {
    local file=out/facesecure_${version}_$architecture.deb
    mkdir -p out
    find "$root" -newermt "@$SOURCE_DATE_EPOCH" -print0 | xargs -0r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
    dpkg-deb --root-owner-group -Z"${COMPRESSION:-xz}" ${LEVEL:+-z"$LEVEL"} --build "$root" "$file" >/dev/null
    echo "$file: $(du -h "$file" | cut -f1), $(sha256sum "$file" | cut -d' ' -f1)"
}

main
