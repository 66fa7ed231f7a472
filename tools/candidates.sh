#!/bin/sh
# Builds example candidates from the public sample of the first scenario, in an environment of their own.
# usage: candidates.sh BIN [NAME]
set -eu
bin=$1
name=${2:-}
PILOTBASE_HOME=${PILOTBASE_HOME:-$PWD/.pilotbase}
export PILOTBASE_HOME
scenario=healthcare/covid-test-triage

"$bin/pilotbase" keys list >/dev/null
[ -f "$PILOTBASE_HOME/keys/signing.pem" ] || "$bin/pilotbase" keys init --owner "demonstration base"
"$bin/pilotbase" scenarios list --installed | grep -q "$scenario" || "$bin/pilotbase" scenarios install "$scenario"

tools_env=$PILOTBASE_HOME/building
[ -f "$tools_env/.done" ] || {
    "$bin/python" -m venv "$tools_env"
    "$tools_env/bin/python" -m pip --quiet --disable-pip-version-check install --require-hashes \
        -r examples/candidates/requirements.txt
    touch "$tools_env/.done"
}
sample=$PILOTBASE_HOME/covid-test-triage.sample.csv
"$bin/pilotbase" scenarios sample "$scenario" "$sample"
if [ -n "$name" ]; then
    "$tools_env/bin/python" examples/candidates/build.py "$sample" --only "$name"
else
    "$tools_env/bin/python" examples/candidates/build.py "$sample"
fi
