#!/bin/bash
# Write the lock files of this folder: every package with its version and the SHA-256 of each of its files. `make lock`
# keeps the versions that fit pyproject.toml; `make lock UPGRADE=1` takes the newest.
#
#   versions.txt   all versions, resolved together, so that no two lock files disagree
#   base.txt       what the daemon needs; the others hold only what they need besides
#   EXTRA.txt      for each optional extra of pyproject.toml that may be installed beside the daemon
#   setup.txt      what `make setup` adds for tests, lint and training
#   build.txt      what builds our wheel and an sdist
#   camera.txt     simplejpeg, which picamera2 needs beside numpy 2
#   tflite.txt     the older interpreter's environment, complete, for Python 3.11
#
# Only wheels are taken, except for systemd-python, which has none. Each lock holds for Python 3.11 and 3.13 on x86-64
# and aarch64: that is tried at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
folder=requirements
extras=(training charts docs offline-voice heic s3 gdrive notify hub cluster)
compile=("$uv" pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header
    --constraint "$folder/limits.in" --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock")
[ -z "${UPGRADE:-}" ] || compile+=(--upgrade)

# lock NAME INPUT ARGUMENT...: write NAME.txt with hashes, at the versions of versions.txt, without what Windows needs.
lock() {
    local name=$1 input=$2
    shift 2
    "${compile[@]}" --generate-hashes "$@" --output-file "$folder/$name.txt" "$input"
    { echo "# Written by \`make lock\`; lock.sh explains these files."
        awk "/^[a-z]/ { windows = /sys_platform == 'win32'/ } /^# The following packages were excluded/ { exit }
            !windows" "$folder/$name.txt"; } >"$folder/$name.new"
    mv "$folder/$name.new" "$folder/$name.txt"
}

extra_flags() {
    printf -- '--extra\n%s\n' "$@"
}

# The packages of a lock file, as options that leave them out of another.
without() {
    sed -n 's/^\([a-z0-9-]*\)==.*/--no-emit-package\n\1/p' "$folder/$1.txt"
}

wheels=(--only-binary ":all:")
constrained=(--constraint "$folder/versions.txt" "${wheels[@]}")

mapfile -t all < <(extra_flags "${extras[@]}")
"${compile[@]}" "${wheels[@]}" "${all[@]}" --extra dev --output-file "$folder/versions.txt" \
    pyproject.toml "$folder"/{camera,build}.in

lock base pyproject.toml "${constrained[@]}"
mapfile -t based < <(without base)
for extra in "${extras[@]}"; do
    lock "$extra" pyproject.toml --extra "$extra" "${constrained[@]}" "${based[@]}"
done
lock setup pyproject.toml --extra dev --extra training --extra offline-voice "${constrained[@]}" "${based[@]}" \
    --no-emit-package pip
lock build "$folder/build.in" "${constrained[@]}"
lock camera "$folder/camera.in" "${constrained[@]}" "${based[@]}"
lock systemd "$folder/systemd.in" --no-deps
lock tflite pyproject.toml --extra tflite-runtime "${wheels[@]}" "$folder/tflite.in"

# fits PYTHON MACHINE NAME...: every package of these lock files has a wheel for them.
fits() {
    local python=$1 machine=$2 name files=()
    shift 2
    for name; do files+=(--requirements "$folder/$name.txt"); done
    "$uv" pip install --quiet --dry-run --no-deps --require-hashes "${wheels[@]}" --target "$nowhere" \
        --python-version "$python" --python-platform "$machine-manylinux_2_36" "${files[@]}" \
        || { echo "no wheels for Python $python on $machine" >&2; exit 1; }
}

nowhere=$(mktemp -d)
trap 'rm -rf "$nowhere"' EXIT
for machine in x86_64 aarch64; do
    for python in 3.11 3.13; do
        fits "$python" "$machine" base build camera setup docs charts heic s3 gdrive hub cluster
    done
    fits 3.11 "$machine" tflite
done
