#!/bin/sh
# Runs facesecure with the service's configuration and state and, with sudo, as the service's user, so that no file the
# service needs belongs to root, and nothing in the service's folder leads to root: what you name (photos, a
# configuration, a file to write) is opened first, then all of root's rights are given up.
#
# Python is isolated (-I): no module, and no setting of Python's, is taken from the current folder or the environment.
set -eu
export STATE_DIRECTORY=/var/lib/facesecure RUNTIME_DIRECTORY=/run/facesecure PYTHONNOUSERSITE=1 PYTHONSAFEPATH=1
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONINSPECT
if [ "$(id -u)" = 0 ]; then
    export HOME="$STATE_DIRECTORY" FACESECURE_KEY_FILE="${FACESECURE_KEY_FILE:-/etc/facesecure/key}"
    export FACESECURE_RUN_AS=facesecure
    umask 077
fi
exec /opt/facesecure/bin/python -I -m facesecure "$@"
