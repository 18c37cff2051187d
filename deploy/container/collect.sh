#!/bin/bash
# Collect in out/container-ARCH what the container, and the add-on of Home Assistant, are built from: `make container`.
#
#   collect.sh [amd64|arm64]      default: this machine's
#
# FACESECURE_DEB=FILE takes that package, for Debian 13, instead of building one; FACESECURE_OUT is another folder.
set -euo pipefail
cd "$(dirname "$0")/../.."

architecture=${1:-$(dpkg --print-architecture)}
folder=${FACESECURE_OUT:-out/container-$architecture}
package=${FACESECURE_DEB:-}
if [ -z "$package" ]; then
    deb/build.sh trixie "$architecture"
    package=out/facesecure_$(.venv/bin/python -m deb.version)~deb13_$architecture.deb
fi
[[ $package == *~deb13_$architecture.deb ]] || { echo "$package is not for Debian 13 on $architecture" >&2; exit 2; }

rm -rf "$folder"
mkdir -p "$folder"
cp "$package" deploy/container/start.sh deploy/home-assistant/config.yaml deploy/home-assistant/DOCS.md CHANGELOG.md "$folder/"
cp deploy/container/Containerfile "$folder/Containerfile"
cp deploy/container/Containerfile "$folder/Dockerfile" # the name that Home Assistant looks for
chmod 755 "$folder/start.sh"
echo "build the container: podman build --tag door $folder"
echo "or, as an add-on of Home Assistant, copy $folder to its folder addons/facesecure"
