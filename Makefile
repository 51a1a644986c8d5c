# Every task of the project. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PACKAGES := keys seal_service licence_store verifier eseal
DATA ?= data
WORKERS ?= 2
FUZZ ?= ses cms certificates ofd_container ofd_xml pdf verdict
SECONDS_EACH ?= 600

help: ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## what the service needs: locked dependencies and fonts
	@scripts/setup runtime

setup-tests: ## what the tests need on top: test dependencies, browser, PostgreSQL, PDF tools
	@scripts/setup tests

demo: setup ## set everything up, issue the example licences over HTTP, verify them, print the result
	@$(BIN)/python -m eseal demo --data "$(DATA)"

run: setup ## run the service on loopback with the demo's data
	@$(BIN)/python -m eseal demo --data "$(DATA)" --keep-running

test: setup-tests ## all tests
	@$(BIN)/python -m pytest -rs -n $(WORKERS) --dist worksteal

journeys: setup-tests ## the user stories over real HTTP and a real browser
	@$(BIN)/python -m pytest -m journey tests/journeys

fmt: ## format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix -q .

lint: setup-tests ## format check, ruff, mypy --strict
	@$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

arch: setup-tests ## import contracts and the rules of the house
	@$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/architecture

golden: setup-tests ## make the golden files again (look at them before committing)
	@$(BIN)/python -m tests.golden.make_golden

docs: setup-tests ## write docs/openapi.json and docs/problems.md from the code
	@$(BIN)/python -m eseal docs

bench: setup-tests ## measure; prints a table and writes build/bench.json
	@$(BIN)/python -m bench

fuzz: setup-tests ## fuzz every reader (FUZZ=ses SECONDS_EACH=60 for one and shorter); brings Atheris
	@[ -d .cache/fuzz/atheris ] || $(BIN)/python -m pip install -q --disable-pip-version-check \
	  --no-deps --target .cache/fuzz 'atheris>=3,<4'
	for target in $(FUZZ); do
	  PYTHONPATH=.cache/fuzz $(BIN)/python -m fuzz "$$target" -max_total_time=$(SECONDS_EACH) -timeout=30
	done

lock: ## lock the dependencies again (brings its own uv)
	@uv=.cache/uv/bin/uv
	if [ ! -x "$$uv" ]; then
	  $(BIN)/python -m venv .cache/uv
	  .cache/uv/bin/python -m pip install -q --disable-pip-version-check uv
	fi
	for name in runtime test hsm; do
	  "$$uv" pip compile -q --python $(BIN)/python --generate-hashes --no-strip-extras --no-emit-index-url --no-header \
	    requirements/$$name.in -o requirements/$$name.txt
	done

check: lint arch test ## all that CI does

clean: ## remove what was built (not the data folder)
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

.PHONY: help setup setup-tests demo run test journeys fmt lint arch golden docs bench fuzz lock check clean
