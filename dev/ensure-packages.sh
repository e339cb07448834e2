#!/bin/sh
# Installs the packages where they are missing or older than the lock file; npm itself is all it needs.
set -eu
cd "$(dirname "$0")/.."
[ node_modules/.package-lock.json -nt package-lock.json ] && exit 0
echo "installing packages"
exec npm ci
