# Two commands matter: `make demo` shows the main job done, `make test` proves it.
PYTHON ?= python3
BIN := .venv/bin
FITTING := $(shell for p in $(PYTHON) python3.13 python3.12 python3.11; do \
	$$p -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && echo $$p && break; done)

SEED := $(shell date +%s)

.PHONY: demo test check survive laws fuzz lint types imports schemas bench clean

demo: .venv/demo  ## apply manifests/ to the embedded emulator, plan again, and find nothing to do
	@set -a; . manifests/demo.env; set +a; \
	echo; echo '$$ reconciler apply --local --auto-approve'; $(BIN)/reconciler apply --local --auto-approve \
	&& echo && echo '$$ reconciler plan --local' && $(BIN)/reconciler plan --local --detailed-exitcode
	@echo; echo "Now try:"
	@echo "  1. edit a line of manifests/northwind/prompts/support-triage.md, then  $(BIN)/reconciler plan --local"
	@echo "  2. break a manifest (misspell a key), then                            $(BIN)/reconciler validate"
	@echo "  3. see what a program sees:                                           $(BIN)/reconciler plan --local --json"

test: .venv/dev  ## run every test, in parallel, with branch coverage
	$(BIN)/pytest -n auto --dist loadfile --cov --cov-report=term:skip-covered

FUZZ_INPUTS ?= 100000
fuzz: .venv/dev  ## feed bad input to everything that reads, and print a table; FUZZ_INPUTS says how much
	FUZZ_INPUTS=$(FUZZ_INPUTS) $(BIN)/python -m tests.fuzz

survive: .venv/dev  ## kill an apply at every request, and put 500 random schedules of faults in its way; prints the table
	SURVIVE=long $(BIN)/pytest -n auto --dist worksteal tests/survival

laws: .venv/dev  ## thousands of random fleets and teams, new ones every time; `make laws SEED=...` repeats what was printed
	LAWS=long $(BIN)/pytest -n auto --dist worksteal --hypothesis-seed=$(SEED) tests/laws

check: test lint types imports  ## all that CI runs

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/actionlint -shellcheck $(BIN)/shellcheck
	$(BIN)/zizmor --offline --quiet .github

types: .venv/dev
	$(BIN)/mypy

imports: .venv/dev
	$(BIN)/lint-imports

schemas: .venv/dev  ## write schemas/ and docs/kinds.md anew from the kinds
	$(BIN)/reconciler schema
	$(BIN)/reconciler kinds --markdown > docs/kinds.md

bench: .venv/dev  ## what an unchanged plan costs, beside a naive script; figures only
	$(BIN)/python bench/run.py

.venv/bin/python:
	@test -n "$(FITTING)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(FITTING) -m venv .venv

.venv/demo: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[emulator]'
	@touch $@

.venv/dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ .venv/demo

clean:
	rm -rf .venv .reconciler .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
