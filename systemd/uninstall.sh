#!/bin/bash
# Uninstalls facesecure: `sudo make uninstall`. Asks whether to keep the people, sightings, settings and key.
#
#   KEEP_STATE=yes|no   the answer, where there is no terminal; without it everything is kept
#   DESTDIR=DIR         remove what `make install` installed under DIR
set -euo pipefail
root=${DESTDIR:-}
lib=$root/usr/local/lib

main() {
    [ -n "$root" ] || [ "$(id -u)" = 0 ] || { echo "error: this changes the system: sudo make uninstall" >&2; exit 1; }
    local keep
    keep=$(answer)
    if [ -z "$root" ] && [ -d /run/systemd/system ]; then
        systemctl disable --now facesecure-web.socket facesecure-web.service facesecure 2>/dev/null || true
    fi
    rm -f "$lib/systemd/system"/facesecure{.service,-web.service,-web.socket}
    rm -f "$lib/sysusers.d/facesecure.conf" "$lib/tmpfiles.d/facesecure.conf"
    rm -f "$root/usr/local/bin/facesecure"
    rm -rf "$root/opt/facesecure"
    if [ -z "$root" ] && [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl reset-failed facesecure facesecure-web.socket facesecure-web.service 2>/dev/null || true
    fi
    if [ "$keep" = no ]; then forget; else echo "kept: /var/lib/facesecure, /etc/facesecure, its users"; fi
    echo "facesecure is uninstalled"
}

answer() {
    case ${KEEP_STATE:-} in
    yes | no) echo "$KEEP_STATE" && return ;;
    "") ;;
    *) echo "error: KEEP_STATE must be yes or no" >&2 && exit 1 ;;
    esac
    local reply=yes
    [ ! -t 0 ] || read -rp "Keep the people, sightings, settings and key? Without the key a backup is useless. [Y/n] " reply
    case $reply in [nN]*) echo no ;; *) echo yes ;; esac
}

forget() {
    rm -rf "$root/var/lib/facesecure" "$root/etc/facesecure"
    [ -n "$root" ] && return
    rm -rf /run/facesecure-web
    local user
    for user in facesecure-web facesecure; do
        ! getent passwd $user >/dev/null || userdel $user
        ! getent group $user >/dev/null || groupdel $user
    done
    echo "removed: people, sightings, settings, key and users"
}

main
