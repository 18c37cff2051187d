#!/bin/bash
# Takes facesecure off this machine: `sudo make uninstall`. Asks whether to keep what it knows.
#
#   KEEP_STATE=yes|no   the answer, for where nobody can be asked; without it everything is kept
#   DESTDIR=DIR         take away what `make install` put under DIR
set -euo pipefail
root=${DESTDIR:-}
lib=$root/usr/local/lib

main() {
    [ -n "$root" ] || [ "$(id -u)" = 0 ] || { echo "error: this changes the system: sudo make uninstall" >&2; exit 1; }
    local keep
    keep=$(answer)
    if [ -z "$root" ] && [ -d /run/systemd/system ]; then
        systemctl disable --now facesecure 2>/dev/null || true
    fi
    rm -f "$lib/systemd/system/facesecure.service" "$lib/sysusers.d/facesecure.conf" "$lib/tmpfiles.d/facesecure.conf"
    rm -f "$root/usr/local/bin/facesecure"
    rm -rf "$root/opt/facesecure"
    if [ -z "$root" ] && [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl reset-failed facesecure 2>/dev/null || true
    fi
    if [ "$keep" = no ]; then forget; else echo "kept: /var/lib/facesecure, /etc/facesecure, the user facesecure"; fi
    echo "facesecure is uninstalled"
}

answer() {
    case ${KEEP_STATE:-} in
    yes | no) echo "$KEEP_STATE" && return ;;
    "") ;;
    *) echo "error: KEEP_STATE is yes or no" >&2 && exit 1 ;;
    esac
    local reply=yes
    [ ! -t 0 ] || read -rp "Keep the people, sightings, settings and key? Without the key a backup is useless. [Y/n] " reply
    case $reply in [nN]*) echo no ;; *) echo yes ;; esac
}

forget() {
    rm -rf "$root/var/lib/facesecure" "$root/etc/facesecure"
    [ -n "$root" ] && return
    ! getent passwd facesecure >/dev/null || userdel facesecure
    ! getent group facesecure >/dev/null || groupdel facesecure
    echo "forgotten: people, sightings, settings, key and user"
}

main
