# pilotbase: `make pilot` shows it at work, `make test` checks it. Both set up all that they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: pilot test test-all lint bench docs candidates

pilot: $(VENV)/.core
	@sh tools/pilot.sh $(BIN)

test: $(VENV)/.dev lint
	@sh tools/test.sh $(BIN) -m "not slow"

test-all: $(VENV)/.dev lint
	@sh tools/test.sh $(BIN)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check --quiet src tests docs bench examples tools
	$(BIN)/ruff check --quiet src tests docs bench examples tools
	$(BIN)/pyrefly check --summary=none
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.dev
	@sh tools/bench.sh $(BIN)

docs: $(VENV)/.dev
	$(BIN)/python docs/spec/make_schemas.py

candidates: $(VENV)/.core
	@sh tools/candidates.sh $(BIN)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/python constraints.txt pyproject.toml
	$(PIP) install --require-hashes -r constraints.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.core constraints-dev.txt
	$(PIP) install --require-hashes -r constraints-dev.txt
	@touch $@
