# Shared by the two chroots' scripts; sourced. Sets `repository`, `chroots` and `as_root`.
#
# The chroots are outside of the tree, so that `make clean` does not cost minutes: FACESECURE_CHROOTS, or
# ~/.cache/facesecure/chroots. One is rebuilt when the script that builds it has changed.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
chroots=${FACESECURE_CHROOTS:-${XDG_CACHE_HOME:-$HOME/.cache}/facesecure/chroots}
mirror=${FACESECURE_MIRROR:-http://deb.debian.org/debian}
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"

# need PACKAGE...: install what is missing.
need() {
    dpkg --status "$@" >/dev/null 2>&1 && return
    echo "installing $*"
    $as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# inside ROOT [NAME=VALUE...] COMMAND...: run it in the chroot with that environment, with /proc, /dev and an empty /tmp.
# The mounts are seen by that command alone and end with it, so removing the chroot can never reach the machine's files.
inside() {
    $as_root unshare --mount --propagation private bash -euc '
        root=$1; shift
        mount --rbind /proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/tmp"
        variables=(HOME=/tmp PATH=/usr/bin:/usr/sbin LANG=C.UTF-8)
        while [[ $1 == *=* ]]; do variables+=("$1"); shift; done
        exec env -i "${variables[@]}" chroot "$root" "$@"' inside "$@"
}

# stale STAMP FILE...: whether STAMP is missing or was made from other contents of FILE...
stale() {
    local stamp=$1
    shift
    [ "$(cat "$stamp" 2>/dev/null)" != "$(sha256sum "$@" | cut -d' ' -f1)" ]
}

# stamped STAMP FILE...: record that it was made from FILE...
stamped() {
    local stamp=$1
    shift
    sha256sum "$@" | cut -d' ' -f1 | $as_root tee "$stamp" >/dev/null
}

# wheels ROOT/DIR PYTHON ARCHITECTURE WHAT...: install wheels for that Python (3.13) and machine into DIR, from here.
wheels() {
    local target=$1 python=$2 architecture=$3
    shift 3
    local platforms=(--platform "manylinux2014_$architecture") glibc
    for glibc in $(seq 17 41); do # pip takes these as a list: a newer one does not imply the older
        platforms+=(--platform "manylinux_2_${glibc}_$architecture")
    done
    $as_root "$repository/.venv/bin/python" -m pip --disable-pip-version-check install --quiet --quiet --upgrade \
        --target "$target" --only-binary=:all: --implementation cp --python-version "$python" "${platforms[@]}" "$@"
}
