SHELL := /bin/sh
PYTHON ?= python3
SUBMISSIONS ?= examples/submissions
OUT ?= out
BIN := .venv/bin
# Tests wait for other processes a part of their time.
TESTERS := $(shell expr $$(nproc) + 1)

# Korean file names and texts, whatever the machine's locale.
export PYTHONUTF8 := 1
# Grading and tests start many processes: each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help grade test build certify bench fuzz attacks clean

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

grade: .venv/.grade  ## grade SUBMISSIONS=… (a folder, a zip, a file) into OUT=…
	$(BIN)/autograder grade "$(SUBMISSIONS)" --out "$(OUT)"

test: .venv/.develop  ## lint and the whole test suite, types included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest --numprocesses $(TESTERS) --dist loadfile --no-loadscope-reorder

build: .venv/.develop  ## regenerate assignment/, solutions/rnn.ipynb and build/gradescope.zip
	$(BIN)/python -m autograder.build

certify: .venv/.develop .venv/grade/.ready  ## prove the graders: right answers earn all, every known mistake is caught and explained
	$(BIN)/python -m tools.certify $(CERTIFY)
	.venv/grade/bin/python -m tools.certify $(CERTIFY) --only corpus --every 6

bench: .venv/.develop  ## speed beside other graders on the same submissions
	$(BIN)/python -m tools.bench $(BENCH)

fuzz: .venv/.develop  ## a hundred thousand damaged submissions and observations through everything that reads them
	FUZZ_EXAMPLES=10000 $(BIN)/python -m pytest --numprocesses $(TESTERS) tests/engine/test_fuzz_intake.py tests/engine/test_wire.py

attacks: .venv/.develop  ## what hostile submissions gain with `otter run`, for docs/security.md
	$(BIN)/python -m tools.otter_attacks

# What `make grade` installs, and nothing else: grades must not depend on what is there beside it.
.venv/grade/.ready: .venv/.grade
	$(PYTHON) -m venv .venv/grade
	.venv/grade/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

clean:  ## remove the environment and everything made
	rm -rf .venv out build

.venv/.grade: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/.develop: .venv/.grade
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
