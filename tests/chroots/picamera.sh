#!/bin/bash
# The camera source against the real picamera2 and the real libcamera, with no Pi: Debian trixie has libcamera's
# "virtual" pipeline, which shows colour bars as a camera. tests/support/camera/virtual_camera.py says what is stood in for.
# Asks for root (chroot), some 550 MB and, the first time, the network. Arguments go to pytest.
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
# The virtual camera of libcamera 0.4 leaves each buffer's status as it finds the memory; 0 is success, and malloc is
# told to hand out zeros (255 inverted; its cache of small pieces would not). picamera2 starts its thread by a method that Python has deprecated.
inside "$root" GLIBC_TUNABLES=glibc.malloc.perturb=255:glibc.malloc.tcache_count=0 \
    PYTHONPATH=/site:/facesecure/daemon:/facesecure/tests PYTHONDONTWRITEBYTECODE=1 \
    /usr/bin/env --chdir=/facesecure /usr/bin/python3 -m pytest -p support.camera.virtual_camera -p no:cacheprovider \
    -W 'ignore:setDaemon:DeprecationWarning' -k "real_picamera2" \
    tests/contract/test_source_contract.py tests/unit/camera/sources/test_real_picamera.py "$@"
