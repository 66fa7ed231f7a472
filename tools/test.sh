#!/bin/sh
# Runs the tests after installing what they need of the system: as root with a package manager, else such tests are
# skipped by name.  usage: test.sh BIN [pytest arguments]
set -eu
bin=$1
shift
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    need=""
    command -v chromium >/dev/null 2>&1 || need="$need chromium"
    [ -d /usr/share/fonts/opentype/noto ] || need="$need fonts-noto-cjk"
    if [ -n "$need" ]; then
        apt-get update -qq
        # shellcheck disable=SC2086 - a list of packages
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $need >/dev/null
    fi
fi
exec "$bin/python" -m pytest -q "$@"
