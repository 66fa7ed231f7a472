#!/bin/sh
# Writes constraints.txt and constraints-dev.txt anew: every package pinned by hash, no address of any index in them.
set -eu
pin="uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11"
$pin --extra build pyproject.toml -o constraints.txt
$pin --extra build --extra dev pyproject.toml -o constraints-dev.txt
! grep -n '://' constraints.txt constraints-dev.txt
