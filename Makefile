# Two commands are enough: `make demo` rescues a whole sample portal, `make test` runs every test.
# Each sets up all it needs in .venv first; only Python 3.11+ and make have to be there.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
READY   = $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo fleet up test test-fast api-contract api-long chaos fleet-long check lint types imports format pictures bench bench-api bench-claims bench-classify bench-dispatch bench-fetch bench-fleet bench-listing bench-pages bench-probe bench-report bench-score bench-s3 lock clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Shelter needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

setup: $(READY)  ## make .venv with the pinned dependencies

demo: setup  ## rescue the bundled sample portal, start to verdicts
	$(BIN)/shelter demo

fleet: setup  ## start the services of docker/compose.yaml as processes of this machine (more with WORKERS=3)
	$(BIN)/python -m docker.native --scale worker=$(or $(WORKERS),2) $(FLEET)

up: setup  ## start the embedded system: PostgreSQL, Dagster, the HTTP API
	$(BIN)/shelter up

# Two processes, of which one runs the tiers of whole machines: TESTERS=0 runs all tests in one.
TESTERS ?= 2
test: setup  ## run every test (those that need Chromium say so and skip where it is missing)
	$(BIN)/python -m pytest -n $(TESTERS)

test-fast: setup  ## run the tests that need no server
	$(BIN)/python -m pytest shelter_pipeline_tests/unit

api-contract: setup  ## ask for everything in the API's contract, two hundred times each (an hour)
	API_CONTRACT_EXAMPLES=200 $(BIN)/python -m pytest shelter_pipeline_tests/api/test_contract.py

api-long: setup  ## hold the API's limits with the deadlines of production, 500 slow connections, bodies of 200 MB
	API_LONG_TESTS=1 $(BIN)/python -m pytest shelter_pipeline_tests/api/test_limits.py

chaos: setup  ## kill everything at random for ten minutes while a rescue goes on (root; less with CHAOS="--seconds 60")
	$(BIN)/python -m shelter_pipeline_tests.support.chaos $(CHAOS)

fleet-long: setup  ## rescue 20,000 files of 300 hosts over three machines and check what each host saw (root; a quarter of an hour)
	FLEET_LONG_TESTS=1 $(BIN)/python -m pytest shelter_pipeline_tests/fleet/test_many_hosts.py

check: lint types imports  ## run the gates: lint, format, types, import rules

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint docker/Dockerfile
	$(BIN)/shellcheck docker/*.sh
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker/compose*.yaml

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

format: setup  ## format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

pictures: setup  ## make the pictures of the README and of the guide to backfills from real runs (needs Chromium)
	$(BIN)/python docs/make_pictures.py

BENCH ?=
CHAOS ?=
FLEET ?=
bench: setup  ## measure harvests at full size beside peers (half an hour; less with BENCH="--datasets 20000 ...")
	$(BIN)/python -m benchmarks.harvest $(BENCH)

bench-fetch: setup  ## measure fetching beside curl, wget2, rclone, aria2c (a look with BENCH="--scale 0.05")
	$(BIN)/python -m benchmarks.fetching $(BENCH)

bench-fleet: setup  ## measure what a fleet costs beside fetching, and what more workers bring (root; fewer with BENCH="--workers 1,2")
	$(BIN)/python -m benchmarks.fleet $(BENCH)

bench-probe: setup  ## measure probes of 200 slow hosts against what politeness allows (a look with BENCH="--scale 0.1")
	$(BIN)/python -m benchmarks.probing $(BENCH)

bench-s3: setup  ## measure uploads to S3 beside peers (some minutes; less with BENCH="--scale 0.1")
	$(BIN)/python -m benchmarks.s3 $(BENCH)

bench-api: setup  ## measure reads of the API at 100 requests a second and full size (less with BENCH="--datasets 20000")
	$(BIN)/python -m benchmarks.api_reads $(BENCH)

bench-pages: setup  ## measure the pages for people at full size (less with BENCH="--datasets 20000")
	$(BIN)/python -m benchmarks.browsing $(BENCH)

bench-claims: setup  ## measure how two million files are handed out to nodes (a look with BENCH="--assets 100000")
	$(BIN)/python -m benchmarks.claims $(BENCH)

bench-classify: setup  ## measure the classification of half a million resources (less with BENCH="--resources 20000")
	$(BIN)/python -m benchmarks.classify $(BENCH)

bench-listing: setup  ## measure listings of 100,000 entries beside peers (a minute; less with BENCH="--entries 5000")
	$(BIN)/python -m benchmarks.listing $(BENCH)

bench-dispatch: setup  ## measure ticks and pages of the Dagster UI at 20,000 batches (100,000 with BENCH="--sizes 100k")
	$(BIN)/python -m benchmarks.dispatching $(BENCH)

bench-report: setup  ## measure a whole report at full size beside pandas (less with BENCH="--datasets 20000")
	$(BIN)/python -m benchmarks.reporting $(BENCH)

bench-score: setup  ## measure scoring of two million files beside peers (some minutes; less with BENCH="--assets 20000")
	$(BIN)/python -m benchmarks.scoring $(BENCH)

LOCK = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
lock:  ## renew the locks: of everything, and from it of the image, of the image on a cluster, of what builds it (needs uv)
	$(LOCK) pyproject.toml --group dev --group bench --output-file requirements.lock
	$(LOCK) pyproject.toml --constraint requirements.lock --output-file requirements-production.lock
	$(LOCK) pyproject.toml --extra kubernetes --constraint requirements.lock --output-file requirements-kubernetes.lock
	$(LOCK) --group build --constraint requirements.lock --output-file requirements-build.lock

clean:  ## remove the set-up and all state of this folder
	rm -rf $(VENV) .shelter .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
