# From a fresh clone: `make demo` runs the main job on the example, `make test` every test that this
# machine can run. Both set up what they need into .venv; nothing else is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
PYTEST := $(BIN)/python tests/support/offline.py $(BIN)/python -m pytest -n 2 --dist loadgroup

.PHONY: demo test coverage rig checkov check bench catalog clean help

help:  ## list these targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# The stamp is newer than pyproject.toml when the environment holds what it asks for.
$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Plinth needs Python 3.11 or later: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/.ready  ## compile the example into build/demo and say what to do next
	@$(BIN)/python tools/demo.py

test: $(VENV)/.ready  ## every test that this machine can run; what is left out is named with its reason
	@$(PYTEST)

coverage: $(VENV)/.ready  ## the same, with the lines and branches that no test reaches; twice as long
	@$(PYTEST) --cov --cov-report=term:skip-covered

rig: $(VENV)/.ready  ## build the real systems under test once, into a cache outside the repository
	@$(BIN)/python -m tests.rig build

checkov: $(VENV)/.ready  ## the security gate over every compiled root, counted by cloud (installs checkov into the cache)
	@PYTHONPATH=tests $(BIN)/python -m support.checkov

check: $(VENV)/.ready  ## what a reviewer should not have to say: style, types, floors, and the example's tree
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/plinth compile --check

bench: $(VENV)/.ready  ## the performance budgets, as ratios measured in one run (quick and generous under CI)
	@$(BIN)/python benchmarks/run.py $(if $(CI),--quick)

catalog: $(VENV)/.ready  ## make the catalogue's facts again from rendered manifests (MIRROR=DIR)
	@$(BIN)/python tools/catalog_components.py --mirror $(MIRROR)

clean:  ## remove what `make` made
	rm -rf $(VENV) build .plinth
