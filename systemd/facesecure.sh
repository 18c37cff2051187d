#!/bin/sh
# facesecure as the service sees it: its configuration, its state and, with sudo, its user, so that nothing the service
# needs ever belongs to root. What sudo allows (photos in your home, a file to write to) is allowed here too.
set -eu
export STATE_DIRECTORY=/var/lib/facesecure RUNTIME_DIRECTORY=/run/facesecure
if [ "$(id -u)" = 0 ]; then
    export HOME="$STATE_DIRECTORY" FACESECURE_KEY_FILE="${FACESECURE_KEY_FILE:-/etc/facesecure/key}"
    umask 077
    # The effective user only: access(2), which programs ask before they read, goes by the real one.
    exec setpriv --euid=facesecure --regid=facesecure --groups="$(id -G facesecure | tr ' ' ,)" \
        --inh-caps=-all,+dac_override --ambient-caps=-all,+dac_override -- /opt/facesecure/bin/facesecure "$@"
fi
exec /opt/facesecure/bin/facesecure "$@"
