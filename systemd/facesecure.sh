#!/bin/sh
# Runs facesecure with the service's configuration and state and, with sudo, as the service's user, so that no file the
# service needs belongs to root. It keeps the access that sudo gives to other files, such as photos in your home folder.
set -eu
export STATE_DIRECTORY=/var/lib/facesecure RUNTIME_DIRECTORY=/run/facesecure
if [ "$(id -u)" = 0 ]; then
    export HOME="$STATE_DIRECTORY" FACESECURE_KEY_FILE="${FACESECURE_KEY_FILE:-/etc/facesecure/key}"
    umask 077
    # Only the effective user changes: access(2), which programs call before they read, checks the real one.
    exec setpriv --euid=facesecure --regid=facesecure --groups="$(id -G facesecure | tr ' ' ,)" \
        --inh-caps=-all,+dac_override --ambient-caps=-all,+dac_override -- /opt/facesecure/bin/facesecure "$@"
fi
exec /opt/facesecure/bin/facesecure "$@"
