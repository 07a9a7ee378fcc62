# Two commands do all the set-up: 'make run' and 'make test'. Each makes what it needs first.

PYTHON ?= python3
BIN := .venv/bin
SEEDS ?= 2000

.DEFAULT_GOAL := help
.PHONY: help install run test check format faults bench clean

help:
	@echo 'make run            the database, the Dagster page on http://127.0.0.1:3000, schedules and gap sensor'
	@echo 'make run SANDBOX=1  the same against a local sandbox: no internet and no keys needed'
	@echo 'make test           the whole test suite, against a Postgres of its own'
	@echo 'make check          format, lint, types, import layers'
	@echo 'make faults         thousands of fault schedules, or as many as SEEDS=... says'
	@echo 'make bench          the benchmarks'
	@echo 'make install        only the virtual environment in .venv'

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt scripts/install
	@PYTHON='$(PYTHON)' scripts/install .
	@touch .venv/installed

.venv/installed-dev: pyproject.toml constraints.txt scripts/install
	@PYTHON='$(PYTHON)' scripts/install '.[dev]'
	@touch .venv/installed .venv/installed-dev

run: install
	@exec $(BIN)/crypto-pipeline up $(if $(SANDBOX),--sandbox)

test: .venv/installed-dev
	@$(BIN)/python -m pytest $(ARGS)

check: .venv/installed-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/installed-dev
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

faults: .venv/installed-dev
	@$(BIN)/python -m crypto_pipeline_tests.faults --seeds $(SEEDS)

# The list of what the schema 'market' promises, which a test compares with the database.
.PHONY: contract
contract: .venv/installed-dev
	@$(BIN)/python scripts/contract.py > docs/contract.csv

bench: .venv/installed-dev
	@$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Resolves everything anew and pins what came out.
.PHONY: constraints
constraints:
	@rm -rf .venv-constraints && $(PYTHON) -m venv .venv-constraints
	@.venv-constraints/bin/pip install --quiet '.[dev]'
	@{ head -n 1 constraints.txt; .venv-constraints/bin/pip freeze --exclude crypto-pipeline; } > constraints.new
	@mv constraints.new constraints.txt && rm -rf .venv-constraints
