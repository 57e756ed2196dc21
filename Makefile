# The commands a person types; continuous integration runs the same ones.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "%-10s %s\n", $$1, $$2}'

install: $(READY) ## Create .venv and install w2s-cache with everything for development

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Error: $(PYTHON) is older than Python 3.11. Run make PYTHON=python3.11 (or newer)."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	@touch $(READY)

demo: $(READY) ## Extract the embedded data set, train nine methods over 3 seeds, print the table
	$(BIN)/w2s-cache extract
	$(BIN)/w2s-cache train
	$(BIN)/w2s-cache tables --output-dir results/tables

sweep: $(READY) ## Train every method of the embedded study over 5 seeds (after demo or extract)
	$(BIN)/w2s-cache sweep

tables: $(READY) ## Print the tables of the runs in results/ and write them to results/tables/
	$(BIN)/w2s-cache tables --output-dir results/tables

test: $(READY) ## Run the tests
	$(BIN)/python -m pytest

check: $(READY) ## Lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(READY) ## Measure speed and memory as ratios; rewrites docs/benchmarks.md
	$(BIN)/python benchmarks/all.py

faults: $(READY) ## Kill, starve and damage extraction and training many times; rewrites docs/reliability.md
	PYTHONPATH=tests $(BIN)/python -m faults

clean: ## Remove .venv, results and caches of the tools (not the feature cache)
	rm -rf $(VENV) results build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.PHONY: help install demo sweep tables test check bench faults clean
