# Two commands do everything on a fresh machine: `make run` and `make test`. See README.md.
SHELL := /bin/sh
PY := .venv/bin/python
PYTEST := $(PY) -m pytest
# With phones, servers, processes and browsers in play a test may be repeated once; the summary names each that was (RERUN).
AGAIN := --reruns 1
PACKAGES := app.py hotline telephony ivr acd agents recordings transcription tickets quality calls console

.DEFAULT_GOAL := help
.PHONY: help run test check test-unit test-contract test-integration test-e2e test-browser test-wheel \
        bench mutants fresh-test doctor setup setup-test lock migration screens clean

help:
	@echo "make run          start the whole hotline with demonstration data (Ctrl-C ends it)"
	@echo "make test         all checks and tests; parts: check test-unit test-contract test-integration test-e2e test-browser"
	@echo "make doctor       what was found on this machine, which version, what is missing"
	@echo "make bench        product and baseline side by side (ONLY=name for one); writes var/bench/results.json"
	@echo "make screens      pictures of every page with demonstration data and live calls, into docs/screens (needs Chromium)"
	@echo "make mutants      mutation testing of the pure cores"
	@echo "make fresh-test   both commands inside a bare Debian 12 root (needs root; not part of make test)"

setup:
	@sh scripts/setup run
setup-test:
	@sh scripts/setup test

run: setup
	@exec .venv/bin/hotline serve --demo

doctor:
	@[ -x .venv/bin/hotline ] || sh scripts/setup run
	@.venv/bin/hotline doctor

test: check test-unit test-contract test-integration test-e2e test-browser test-wheel

check: setup-test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy $(PACKAGES) tests speech bench scripts
	$(PY) -m pyright
	.venv/bin/lint-imports
	sh scripts/console-check types lint

test-unit: setup-test
	$(PYTEST) tests/unit
	sh scripts/console-check unit
test-contract: setup-test
	$(PYTEST) $(AGAIN) tests/contract
test-integration: setup-test
	$(PYTEST) $(AGAIN) tests/integration
test-e2e: setup-test
	$(PYTEST) $(AGAIN) tests/e2e
test-browser: setup-test
	$(PYTEST) $(AGAIN) tests/browser
test-wheel: setup-test
	$(PYTEST) tests/wheel

bench:
	@sh scripts/setup bench
	$(PY) -m bench $(if $(ONLY),--only $(ONLY),)

screens: setup-test
	$(PY) -m scripts.screens

mutants: setup-test
	$(PY) -m scripts.mutants

fresh-test:
	sh scripts/fresh-test

lock: setup-test
	sh scripts/lock

clean:
	rm -rf .venv build dist console/dist console/web/node_modules
