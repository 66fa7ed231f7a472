# pilotbase: `make pilot` shows it at work, `make test` checks it. Both set up all they need.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PILOT := PILOTBASE_HOME=./.pilotbase $(BIN)/pilotbase

.PHONY: pilot test test-all lint bench docs candidates clean

$(VENV)/core: constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

pilot: $(VENV)/core
	@sh tools/pilot.sh

