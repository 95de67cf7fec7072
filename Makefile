# Everything starts here. `make demo` and `make test` need Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PROTOS := $(shell find protos -name '*.proto')

.DEFAULT_GOAL := help
.PHONY: help env demo up down test check lint types protos protos-check imports clean bench faults attack barrier

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

env: $(STAMP) ## Make the environment in .venv from the lock file
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: env ## One child's record, end to end, on real parts
	@$(BIN)/ecm demo $(DEMO)

up: env ## Serve the example region on this machine: make up UP="--port 8090"
	@$(BIN)/ecm up $(UP)

down: env ## Stop it: make down DOWN="--state DIR"
	@$(BIN)/ecm down $(DOWN)

test: env ## The whole suite that needs nothing but Python
	@$(BIN)/python -m pytest $(PYTEST)

bench: env ## Ours beside the raw limit, HAPI FHIR and SEKMET, as tables and build/bench.json: make bench BENCH=--quick
	@$(BIN)/python tests/benchmarks/bench.py $(BENCH)

faults: env ## Every process killed and every link cut under load, then checked: make faults SEED=7 FAULTS="--rounds 3"
	@$(BIN)/python tests/faults/run.py $(if $(SEED),--seed $(SEED)) $(FAULTS)

attack: env ## Hostile input on everything that reads some, floods, timing: make attack SEED=7 ATTACK="--scale 10"
	@$(BIN)/python tests/attack/run.py $(if $(SEED),--seed $(SEED)) $(ATTACK)

barrier: env ## Nothing leaves after a withdrawal, under faults: make barrier SEED=7 BARRIER="--seconds 600"
	@$(BIN)/python tests/barrier/main.py $(if $(SEED),--seed $(SEED)) $(BARRIER)

check: lint types protos-check imports ## Style, types, protos, arrows

lint: env
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/hadolint deploy/Dockerfile deploy/keycloak/Dockerfile

types: env
	@$(BIN)/mypy

imports: env
	@$(BIN)/lint-imports

protos: env ## Generate shared/ecm/api from protos/
	@$(BIN)/buf lint
	@rm -rf shared/ecm/api
	@$(BIN)/python -m grpc_tools.protoc --proto_path=protos --python_out=shared --grpc_python_out=shared \
	  --plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
	  --mypy_out=quiet:shared --mypy_grpc_out=quiet:shared $(PROTOS)

protos-check: env ## Protos are linted and the generated code is current
	@$(BIN)/buf lint
	@$(BIN)/buf format --diff --exit-code
	@tmp=$$(mktemp -d) && $(BIN)/python -m grpc_tools.protoc --proto_path=protos --python_out=$$tmp --grpc_python_out=$$tmp \
	  --plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
	  --mypy_out=quiet:$$tmp --mypy_grpc_out=quiet:$$tmp $(PROTOS) \
	  && diff -r --exclude=__pycache__ $$tmp/ecm/api shared/ecm/api && rm -rf $$tmp \
	  || { echo "shared/ecm/api is not what protos/ generate: run 'make protos' and commit"; exit 1; }

clean: ## Remove the environment, caches and build output (not the state)
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
