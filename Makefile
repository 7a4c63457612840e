# What a person or CI does here. `make` alone says what there is.
.DEFAULT_GOAL := help
.NOTPARALLEL:

# The interpreter that a new .venv is made from; empty means the first of these that will do.
PYTHON ?=
PYTHONS := python3 python3.13 python3.12 python3.11
PYTEST_ARGS ?=
SLOW := long or scheduler

# One key for the folder, the lock and the package's own lines: when one differs, set-up runs again.
KEY := $(shell { pwd; sed '/^\[tool/q' pyproject.toml; cat requirements/dev.txt; } | cksum | tr -cd 0-9)
STAMP := .venv/ready-$(KEY)
# An interpreter that was removed from the machine leaves a .venv that only looks ready.
READY := $(STAMP)$(shell test -x .venv/bin/python || echo -without-python)
UV := "$(CURDIR)/.venv/bin/uv"
# Without isolation a build uses the setuptools of the lock, not one that nobody checked.
INTO_VENV := --python .venv/bin/python --no-build-isolation

# Nothing is written outside this folder.
export UV_CACHE_DIR := $(CURDIR)/.venv/cache/uv
export PIP_CACHE_DIR := $(CURDIR)/.venv/cache/pip
export UV_PYTHON_DOWNLOADS := never

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: $(READY) ## Make .venv from the locks (PYTHON=… picks the interpreter); run and test call it

# A lock that changed, or a set-up that was interrupted, gets a new .venv: the cache makes it cheap,
# and no half-installed package survives.
$(READY):
	@set -e; \
	$(call find_python); \
	echo "Setting up .venv with $$found, a minute or two the first time ..." >&2; \
	mkdir -p .venv/cache; export TMPDIR="$(CURDIR)/.venv/cache"; \
	find .venv -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +; \
	PYTHONDONTWRITEBYTECODE=1 "$$found" -m venv .venv; \
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
	    --require-hashes -r requirements/setup.txt; \
	$(UV) pip sync --quiet $(INTO_VENV) --require-hashes --compile-bytecode requirements/dev.txt; \
	$(UV) pip install --quiet $(INTO_VENV) --offline --no-deps --editable .; \
	touch $(STAMP)

# Leaves the interpreter in $$found, or ends with one sentence that says what is missing.
define find_python
if [ -n "$(PYTHON)" ]; then set -- "$(PYTHON)"; else set -- $(PYTHONS); fi; \
found=; seen=; no_venv=; \
for python; do \
    version=$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) \
        || continue; \
    seen="$$seen; $$python is $$version"; \
    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || continue; \
    if "$$python" -c 'import ensurepip, venv' 2>/dev/null; then found="$$python"; break; fi; \
    no_venv="$$python"; \
done; \
if [ -z "$$found" ] && [ -n "$$no_venv" ]; then \
    echo "$$no_venv has no venv module: install it (Debian: apt install python3-venv), then run" \
        "make setup again" >&2; \
    exit 1; \
elif [ -z "$$found" ]; then \
    echo "Python 3.11 or newer is needed (looked for $$*$$seen): install it, or name it:" \
        "make setup PYTHON=/path/to/python3" >&2; \
    exit 1; \
fi
endef

.PHONY: run
run: setup ## The whole chain on the demo company; each later run lives one more business day
	@.venv/bin/lakehouse run --demo

.PHONY: test
test: setup ## The fast tests
	@.venv/bin/pytest -n 2 --dist loadgroup -m "not ($(SLOW))" $(PYTEST_ARGS)

.PHONY: test-slow
test-slow: bench-env ## The long tests, and those that start a real Airflow
	@.venv/bin/pytest -n 2 --dist loadgroup -m "$(SLOW)" $(PYTEST_ARGS)

.PHONY: test-all
test-all: test test-slow ## Every test

.PHONY: bench-env
bench-env: setup ## The programs that we are measured and checked against, in .venv/bench
	@$(UV) venv --quiet --clear --python .venv/bin/python .venv/bench
	@$(UV) pip sync --quiet --python .venv/bench/bin/python --require-hashes bench/requirements.txt

.PHONY: bench
bench: bench-env ## Measure what docs/benchmarks.md promises, beside its peers (BENCH=… names suites)
	@.venv/bin/python -m bench $(BENCH)

MINUTES ?= 10
.PHONY: soak
soak: setup ## Random changes, kills and restarts for MINUTES=10; memory and files must stay flat
	@.venv/bin/python -m tests.integration.soak $(MINUTES)

.PHONY: lint
lint: setup ## Style, types, layers and SQL
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/sqlfluff lint --processes 2 dbt/models dbt/tests

.PHONY: airflow
airflow: setup ## A real Airflow on loopback, with the daily DAG; Ctrl-C stops it
	@.venv/bin/lakehouse airflow

.PHONY: data-docs
data-docs: setup ## What was expected of the data and what was found, in the newest runs, as pages
	@.venv/bin/lakehouse data-docs

.PHONY: ui
ui: setup ## All there is to look at, on loopback: Airflow, dbt docs, Data Docs; Ctrl-C stops it
	@.venv/bin/lakehouse ui

.PHONY: docs
docs: setup ## dbt's documentation of models, columns and lineage, made and served; Ctrl-C stops it
	@.venv/bin/lakehouse docs --serve

.PHONY: metrics
ASK ?= --metrics total_demand,fill_rate --group-by metric_time__month --order metric_time__month
metrics: setup ## Ask MetricFlow, e.g. make metrics ASK="--metrics lead_time --group-by item__family"
	@cd dbt && ../.venv/bin/dbt parse --quiet && ../.venv/bin/mf query $(ASK)

.PHONY: screenshots
screenshots: setup ## Renew the pictures under docs/images, by a headless Chromium
	@.venv/bin/python docs/screenshots.py

.PHONY: clean
clean: ## Stop the server and remove what set-up and tests made; the lake in .lakehouse stays
	-@if [ -x .venv/bin/lakehouse ]; then .venv/bin/lakehouse down; fi
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@rm -rf *.egg-info build dbt/target dbt/logs
	@find . -name .lakehouse -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: lock
lock: setup ## Compile the locks from the .in files, keeping every pin that still fits
	@$(call compile,.)

.PHONY: lock-upgrade
lock-upgrade: setup ## Compile the locks anew, with every pin as new as the .in files allow
	@$(call compile,.,--upgrade)

.PHONY: lock-check
lock-check: setup ## Fail if `make lock` would change anything
	@rm -rf .venv/lock-check && mkdir .venv/lock-check
	@cp -R requirements requirements.in requirements.txt bench .venv/lock-check
	@$(call compile,.venv/lock-check)
	@diff -u requirements.txt .venv/lock-check/requirements.txt
	@diff -ru requirements .venv/lock-check/requirements
	@diff -u bench/requirements.txt .venv/lock-check/bench/requirements.txt

# One resolution in requirements.txt, then the smaller locks inside it.
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-annotate --custom-compile-command "make lock"
define compile
cd $(1) && $(COMPILE) $(2) requirements.in -o requirements.txt && \
for name in setup runtime airflow spark dev; do \
    $(COMPILE) -c requirements.txt requirements/$$name.in -o requirements/$$name.txt || exit 1; \
done; \
$(COMPILE) $(2) bench/requirements.in -o bench/requirements.txt
endef
