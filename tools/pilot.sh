#!/bin/sh
# The main job, from nothing: installs the first scenario, builds an example candidate, pilots it.
# usage: pilot.sh BIN
set -eu
bin=$1
PILOTBASE_HOME=$PWD/.pilotbase
export PILOTBASE_HOME
candidate=examples/candidates/triage-boosting

sh tools/candidates.sh "$bin" triage-boosting
dossier=dossiers/$(date -u +%Y%m%dT%H%M%SZ)
"$bin/pilotbase" run healthcare/covid-test-triage "$candidate" --out "$dossier"
cat <<EOT

Verify it, with the base's own verifier and with the independent one:
核验（本基地的核验器，以及另一个独立的核验器）：
  PILOTBASE_HOME=.pilotbase $bin/pilotbase verify $dossier
  $bin/python docs/spec/verifier.py $dossier --trust .pilotbase/keys/keys.json
EOT
