#!/bin/sh
# Runs the benchmarks, each with its peer or a raw loop in the same run.  usage: bench.sh BIN
set -eu
bin=$1
"$bin/python" bench/start.py
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
PILOTBASE_HOME=$PWD/.pilotbase
export PILOTBASE_HOME
sh tools/candidates.sh "$bin" triage-boosting >/dev/null
"$bin/pilotbase" run healthcare/covid-test-triage examples/candidates/triage-boosting --out "$out/dossier" >/dev/null
"$bin/python" bench/verify.py "$out/dossier" "$PILOTBASE_HOME/keys/keys.json"
