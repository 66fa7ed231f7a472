#!/bin/sh
# The main job, from nothing: installs the first scenario, builds an example candidate, pilots it.
# usage: pilot.sh BIN
set -eu
bin=$1
PILOTBASE_HOME=$PWD/.pilotbase
export PILOTBASE_HOME
candidate=examples/candidates/triage-boosting

sh tools/candidates.sh "$bin" triage-boosting
"$bin/pilotbase" run healthcare/covid-test-triage "$candidate"
