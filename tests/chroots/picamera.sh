#!/bin/bash
# Test the Debian package with picamera2, on a machine that is no Pi. Needs root (chroot), some 1.2 GB and, the first
# time, the network.
#
#   picamera.sh [trixie|bookworm] [ARGUMENT...]      default trixie; arguments go to pytest
#
# The package is unpacked into a Debian that has picamera2 beside apt's NumPy, as Raspberry Pi OS has, and everything runs
# in the package's environment. FACESECURE_DEB=FILE tries that package instead of building one.
#
#   trixie    the camera source against the real picamera2 and libcamera, on libcamera's "virtual" pipeline: a camera
#             that shows colour bars. tests/support/camera/virtual_camera.py lists what is replaced.
#   bookworm  Debian's libcamera is too old for picamera2 and has no such camera, so no image is taken. Tried is what
#             breaks there: the NumPy 2 of the package beside a simplejpeg that was built for the NumPy 1 of apt.
#
# python3-picamera2, python3-simplejpeg and python3-videodev2 are packages of Raspberry Pi OS, not of Debian: here they
# are the wheels of their authors, put where apt would put them.
set -euo pipefail
source "$(dirname "$0")/common.sh"

suite=${1:-trixie}
[ $# = 0 ] || shift
root=$chroots/picamera-$suite
system=$root/usr/lib/python3/dist-packages
recipe=("$0" "$repository/tests/chroots/common.sh" "$repository/tests/chroots/virtual.yaml")
packages=python3,python3-numpy,libstdc++6,ca-certificates
case $suite in
    trixie) python=3.13 release=13 packages+=,python3-libcamera,python3-prctl,python3-pil,python3-piexif,python3-tqdm
        packages+=,python3-jsonschema,python3-libarchive-c ;;
    bookworm) python=3.11 release=12 ;;
    *) echo "no such suite: $suite (trixie or bookworm)" >&2; exit 2 ;;
esac

make_root() {
    need mmdebstrap
    echo "making a $suite in $root"
    $as_root rm -rf "$root"
    mkdir -p "$chroots"
    $as_root mmdebstrap --quiet --variant=essential --include="$packages" "$suite" "$root" "$mirror"
    $as_root mkdir -p "$root/site" "$root/facesecure"
    wheels "$root/site" "$python" x86_64 pytest hypothesis psutil
    if [ "$suite" = trixie ]; then
        $as_root mkdir -p "$root/usr/share/libcamera/pipeline/virtual"
        $as_root cp "$repository/tests/chroots/virtual.yaml" "$root/usr/share/libcamera/pipeline/virtual/"
        wheels "$system" "$python" x86_64 --no-deps picamera2 videodev2 simplejpeg
    else
        wheels "$system" "$python" x86_64 --no-deps simplejpeg==1.6.6 # built for NumPy 1, as apt's is
    fi
}

unpack() {
    local file=${FACESECURE_DEB:-}
    if [ -z "$file" ]; then
        (cd "$repository" && COMPRESSION=none deb/build.sh "$suite" "$(dpkg --print-architecture)") | tee "$root/.built"
        file=$repository/$(tail -n 1 "$root/.built" | cut -d: -f1)
    fi
    [[ $file == *~deb${release}_* ]] || { echo "$file is not for $suite" >&2; exit 2; }
    $as_root rm -rf "$root/usr/lib/facesecure"
    $as_root dpkg-deb --extract "$file" "$root"
}

copy_tests() {
    $as_root rm -rf "$root/facesecure"
    $as_root mkdir "$root/facesecure"
    tar -C "$repository" --create --exclude=__pycache__ tests/conftest.py tests/contract tests/support \
        tests/unit/camera/sources pyproject.toml | $as_root tar -C "$root/facesecure" --extract --no-same-owner
}

# in_package [NAME=VALUE...] ARGUMENT...: run the package's own Python.
in_package() {
    local variables=()
    while [[ ${1:-} == *=* ]]; do variables+=("$1"); shift; done
    inside "$root" PYTHONDONTWRITEBYTECODE=1 "${variables[@]}" /usr/lib/facesecure/bin/python "$@"
}

# The virtual camera of libcamera 0.4 does not initialise each buffer's status; 0 is success, so malloc is set to return
# zeroed memory (255 inverted; without its cache of small pieces). picamera2 starts its thread with a deprecated method.
test_trixie() {
    in_package GLIBC_TUNABLES=glibc.malloc.perturb=255:glibc.malloc.tcache_count=0 PYTHONPATH=/site:/facesecure/tests \
        -c 'import os, sys; os.chdir("/facesecure"); import pytest; sys.exit(pytest.main(sys.argv[1:]))' \
        -p support.camera.virtual_camera -p no:cacheprovider -W 'ignore:setDaemon:DeprecationWarning' \
        -k "real_picamera2" tests/contract/test_source_contract.py tests/unit/camera/sources/test_real_picamera.py "$@"
}

test_bookworm() {
    in_package - <"$repository/tests/chroots/simplejpeg_beside_numpy.py"
    echo "bookworm: the package brings a simplejpeg that fits its NumPy; no image was taken"
}

stale "$root/.made" "${recipe[@]}" && { make_root; stamped "$root/.made" "${recipe[@]}"; }
unpack
copy_tests
"test_$suite" "$@"
