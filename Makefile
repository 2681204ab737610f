# `make` lists what there is to do. `run` and `test` need Python 3.11 or newer and a C compiler at most; `lock` alone needs
# uv, which the development environment brings along.

VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
WORKERS ?= 2
KILLS ?= 200
DELIVERIES ?= 200000
MINUTES ?= 60
FAULTS = --kills $(KILLS) --deliveries $(DELIVERIES) --minutes $(MINUTES)

RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help run test test-postgres faults lint format types check lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUNTIME) ## install what is needed, then run the relay: the demo, or what RELAY_CONFIG names
	@exec $(BIN)/gunicorn app:app

test: $(DEVELOPMENT) ## all tests, on WORKERS processes (2)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

test-postgres: $(DEVELOPMENT) ## the tests on a real PostgreSQL server; fails where its programs are missing
	RELAY_REQUIRE_POSTGRES=1 $(BIN)/python -m pytest -m postgres -n $(WORKERS) --dist loadgroup

faults: $(DEVELOPMENT) ## kill everything under load, on both databases: KILLS (200) and DELIVERIES (200000) each, within MINUTES (60)
	$(BIN)/python -m tests.faults.long --engine sqlite $(FAULTS)
	$(BIN)/python -m tests.faults.long --engine postgresql $(FAULTS)

lint: $(DEVELOPMENT) ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEVELOPMENT) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(DEVELOPMENT) ## mypy, strict
	$(BIN)/mypy

check: lint types test test-postgres ## all that .ci/run checks

lock: $(DEVELOPMENT) ## renew the hashed lock files from requirements/*.in
	$(COMPILE) --upgrade requirements/runtime.in -o requirements/runtime.txt
	$(COMPILE) --upgrade requirements/dev.in -c requirements/runtime.txt -o requirements/dev.txt

clean: ## remove the environment and all caches; what the relay stored stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3 run' >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUNTIME): requirements/runtime.txt | $(BIN)/python
	@echo 'Installing requirements/runtime.txt into $(VENV) (once) ...'
	@$(INSTALL) -r requirements/runtime.txt
	@touch $@

$(DEVELOPMENT): requirements/dev.txt | $(BIN)/python
	@echo 'Installing requirements/dev.txt into $(VENV) (once) ...'
	@$(INSTALL) -r requirements/dev.txt
	@touch $@
