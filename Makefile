# Table of contents. `make` alone lists the targets.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := tests

.DEFAULT_GOAL := help
.PHONY: help setup demo test check quick static unit cluster engine e2e bootstrap lock engine-environment generate accuracy accuracy-peers speeds bench controlplane scanner sbom clean

help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: ## make the environment in .venv
	@$(PYTHON) scripts/make_venv.py

demo: setup ## a control plane with GPU nodes, the operator, the examples, live
	@$(BIN)/python scripts/demo.py

test: setup ## every floor that this machine can run, with times
	@$(BIN)/python scripts/test.py static unit cluster engine e2e

check: test ## the same: what CI runs

quick: setup ## static checks, unit and golden tests: no thorough ones, fewer examples
	@QWEN3_TEST_DEPTH=0.25 $(BIN)/python scripts/test.py static quick

static: setup ## format, lint, types, import contracts, generated files
	@$(BIN)/python scripts/test.py static

unit: setup ## unit and golden tests
	@$(BIN)/python scripts/test.py unit

cluster: setup ## tests on a real control plane (built on first use)
	@$(BIN)/python scripts/test.py cluster

engine: setup ## the planner against a real engine on the CPU (installed on first use)
	@$(BIN)/python scripts/test.py engine

e2e: setup ## the chart on a real node with a real engine (root; see `make bootstrap`)
	@$(BIN)/python scripts/test.py e2e

bootstrap: ## install the Debian packages that e2e needs (root)
	@apt-get update --quiet
	@apt-get install --quiet --yes --no-install-recommends containerd containernetworking-plugins debootstrap iptables runc

lock: setup ## write image/requirements.lock again (needs uv)
	uv pip compile pyproject.toml --extra operator --generate-hashes --universal --python-version 3.11 --upgrade --quiet --no-header --output-file image/requirements.lock
	@sed -i '1i# Made by `make lock`. What the operator'"'"'s image holds, each file by its hash.' image/requirements.lock
	@$(MAKE) --no-print-directory sbom

sbom: setup ## write the image's bill of materials (CycloneDX), and which wheels each machine takes
	@$(BIN)/python scripts/sbom.py

engine-environment: setup ## build or find the engine's environment, print where
	@$(BIN)/python -m support.engine build

controlplane: setup ## build or find the control plane, print where
	@$(BIN)/python -m support.controlplane build
	@$(BIN)/python -m support.leaderworkerset

scanner: setup ## install or find the security scanner of the cluster tests, print where
	@$(BIN)/python -m support.scanner

generate: setup ## write the CRD, the chart's copy and the reference pages again
	@$(BIN)/python scripts/generate.py

accuracy: setup ## compare the planner with measured rows, write docs/reference/accuracy.md
	@$(BIN)/python scripts/accuracy.py $(if $(BASELINE),--baseline)

speeds: setup ## fit predicted speeds on measured rows, write docs/reference/speed-accuracy.md
	@$(BIN)/python scripts/fit_performance.py

accuracy-peers: setup ## ask aiconfigurator about the measured rows too (850 MB, ten minutes)
	@PYTHONPATH=planner:operator:tests $(BIN)/python scripts/accuracy_peers.py

bench: setup ## benchmarks of planner and operator, JSON in benchmarks/results
	@$(BIN)/python benchmarks/planner.py
	@$(BIN)/python benchmarks/performance.py
	@$(BIN)/python benchmarks/sweep.py --ray
	@$(BIN)/python benchmarks/ledger.py
	@$(BIN)/python benchmarks/operator_load.py

clean: ## remove the environment and caches inside the tree
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .demo
