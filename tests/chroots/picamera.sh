#!/bin/bash
# Test the camera source against the real picamera2 and libcamera without a Pi: Debian trixie has libcamera's
# "virtual" pipeline, a camera that shows colour bars. tests/support/camera/virtual_camera.py lists what is replaced.
# Needs root (chroot), some 550 MB and, the first time, the network. Arguments go to pytest.
set -euo pipefail
source "$(dirname "$0")/common.sh"

root=$chroots/picamera
recipe=("$0" "$repository/tests/chroots/common.sh" "$repository/tests/chroots/virtual.yaml")

make_root() {
    need mmdebstrap
    echo "making a trixie with libcamera in $root"
    $as_root rm -rf "$root"
    mkdir -p "$chroots"
    $as_root mmdebstrap --quiet --variant=essential --include=python3,python3-libcamera,python3-prctl,ca-certificates \
        trixie "$root" "$mirror"
    $as_root mkdir -p "$root/site" "$root/facesecure" "$root/usr/share/libcamera/pipeline/virtual"
    $as_root cp "$repository/tests/chroots/virtual.yaml" "$root/usr/share/libcamera/pipeline/virtual/"
    # What the sources need, pytest, and picamera2 with what it needs, less what has no wheel (prctl is Debian's).
    wheels "$root/site" 3.13 x86_64 numpy 'opencv-python-headless<5' av pydantic pytest
    wheels "$root/site" 3.13 x86_64 piexif pillow simplejpeg videodev2 libarchive-c tqdm jsonschema
    wheels "$root/site" 3.13 x86_64 --no-deps picamera2
}

copy_tree() {
    $as_root rm -rf "$root/facesecure"
    $as_root mkdir "$root/facesecure"
    tar -C "$repository" --create --exclude=__pycache__ daemon/facesecure tests/conftest.py tests/contract tests/support \
        tests/unit/camera/sources pyproject.toml | $as_root tar -C "$root/facesecure" --extract --no-same-owner
}

stale "$root/.made" "${recipe[@]}" && { make_root; stamped "$root/.made" "${recipe[@]}"; }
copy_tree
# The virtual camera of libcamera 0.4 does not initialise each buffer's status; 0 is success, so malloc is set to return
# zeroed memory (255 inverted; without its cache of small pieces). picamera2 starts its thread with a deprecated method.
inside "$root" GLIBC_TUNABLES=glibc.malloc.perturb=255:glibc.malloc.tcache_count=0 \
    PYTHONPATH=/site:/facesecure/daemon:/facesecure/tests PYTHONDONTWRITEBYTECODE=1 \
    /usr/bin/env --chdir=/facesecure /usr/bin/python3 -m pytest -p support.camera.virtual_camera -p no:cacheprovider \
    -W 'ignore:setDaemon:DeprecationWarning' -k "real_picamera2" \
    tests/contract/test_source_contract.py tests/unit/camera/sources/test_real_picamera.py "$@"
