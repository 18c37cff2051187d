#!/bin/bash
# Start facesecure in a container: the daemon and, beside it, the page, each as its own user, as the services of the
# Debian package do. Whichever ends first ends the container.
#
# FACESECURE_PAGE=off starts no page. FACESECURE_NAMES="door.example.org 192.168.1.5" are the names and addresses by which
# browsers reach it, for its certificate.
set -euo pipefail

settings=/etc/facesecure
state=/var/lib/facesecure
lent=/run/facesecure-lent
program=(/usr/lib/facesecure/bin/python -I -m facesecure)
export PYTHONNOUSERSITE=1 PYTHONSAFEPATH=1
umask 077

# as USER [NAME=VALUE...] COMMAND...: become it, with no right that it could get back.
as() {
    local user=$1
    shift
    exec setpriv --reuid="$user" --regid="$user" --init-groups --no-new-privs env "$@"
}

# lend USER FROM TO: give it a copy of one of root's files, in memory where /run is.
lend() {
    install -d -m 500 -o "$1" -g "$1" "$lent/$1"
    install -m 400 -o "$1" -g "$1" "$2" "$lent/$1/$3"
}

folders() {
    install -d -m 750 -o root -g facesecure "$settings"
    install -d -m 700 -o facesecure -g facesecure "$state"
    install -d -m 750 -o facesecure -g facesecure /run/facesecure
    install -d -m 2750 -o facesecure -g facesecure-web /run/facesecure-web
    install -d -m 711 "$lent"
}

settings() {
    [ -e "$settings/facesecure.toml" ] || facesecure config example >"$settings/facesecure.toml"
    chown root:facesecure "$settings/facesecure.toml"
    chmod 640 "$settings/facesecure.toml"
    [ -e "$settings/key" ] || "${program[@]}" key make "$settings/key" >/dev/null
    lend facesecure "$settings/key" facesecure.key
}

certificate() {
    local names=() name
    for name in ${FACESECURE_NAMES:-}; do names+=(--name "$name"); done
    [ -e "$settings/web/server.pem" ] || facesecure web certificate "${names[@]}"
    lend facesecure-web "$settings/web/server.pem" certificate.pem
    lend facesecure-web "$settings/web/server.key" key.pem
}

started=()
stop() {
    kill -TERM "${started[@]}" 2>/dev/null || true
    wait
    exit 0
}
reload() {
    reloaded=yes
    kill -HUP "${started[0]}" 2>/dev/null || true
}

folders
settings
trap stop TERM INT
trap reload HUP
as facesecure CREDENTIALS_DIRECTORY="$lent/facesecure" STATE_DIRECTORY="$state" RUNTIME_DIRECTORY=/run/facesecure \
    HOME="$state" "${program[@]}" run &
started+=($!)
if [ "${FACESECURE_PAGE:-on}" != off ]; then
    certificate
    as facesecure-web HOME=/ "${program[@]}" web serve --host 0.0.0.0 --port 8443 \
        --certificate "$lent/facesecure-web/certificate.pem" --key "$lent/facesecure-web/key.pem" \
        --socket /run/facesecure-web/web.sock &
    started+=($!)
fi

# The signal to reload ends `wait` too; one that ended a child, as for lack of memory, ends the container.
while true; do
    reloaded="" code=0
    wait -n "${started[@]}" || code=$?
    [ -n "$reloaded" ] && continue
    kill -TERM "${started[@]}" 2>/dev/null || true
    wait || true
    exit "$code"
done
