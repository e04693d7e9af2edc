# Mạch Tin. `make` or `make help` lists what there is.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BROKER ?= auto
KEEP ?=
DATA ?=
SEED ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types unit contract integration browser chaos sabotage quality train-ner train-stories dashboards publish audit fuzz \
  bench-dedup bench-entities bench-overload bench-stories lock schemas clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## See it work: broker, services, stories forming (KEEP=1 goes on, BROKER=kafka|embedded)
	@$(BIN)/machtin demo --broker $(BROKER) $(if $(KEEP),--keep)

test: $(VENV)/.dev ## All tests but the long chaos runs, on a real broker
	@$(BIN)/pytest

check: lint types test ## What CI runs: ruff, mypy strict, tests

lint: $(VENV)/.dev ## ruff: lint and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev ## mypy, strict
	@$(BIN)/mypy

unit: $(VENV)/.dev ## The tests that need no broker: seconds
	@$(BIN)/pytest tests/unit

contract: $(VENV)/.dev ## Schemas, examples, topics, compose file
	@$(BIN)/pytest tests/contract

integration: $(VENV)/.dev ## The pipeline on a real broker
	@$(BIN)/pytest tests/integration

browser: $(VENV)/.dev ## The board in a headless Chromium
	@$(BIN)/pytest tests/browser

chaos: $(VENV)/.dev ## The long chaos run: 20,000 articles, 30 kills, zombies, cuts (half an hour; SEED=n)
	@$(BIN)/pytest tests/chaos/test_chaos.py --chaos-articles 20000 --chaos-kills 30 --chaos-seed $(SEED)

sabotage: $(VENV)/.dev ## Put two of Faust's traps back, one after the other: the chaos test must notice
	@for trap in ack-before-send no-confirm; do \
	  $(BIN)/pytest tests/chaos/test_chaos.py --chaos-articles 4000 --chaos-kills 20 --chaos-sabotage $$trap || exit 1; \
	done

fuzz: $(VENV)/.dev ## 200,000 hostile inputs and two floods of 50,000 through the whole pipeline (an hour)
	@$(BIN)/python -m tests.fuzz
	@$(BIN)/python -m tests.fuzz --flood copies --inputs 50000
	@$(BIN)/python -m tests.fuzz --flood near --inputs 50000

quality: $(VENV)/.bench ## Quality of stories, copies and names (DATA=dir of the development data: much more)
	@$(BIN)/machtin quality stories $(if $(DATA),--data $(DATA))
	@$(BIN)/machtin quality dedup $(if $(DATA),--data $(DATA))
	@$(BIN)/machtin quality entities $(if $(DATA),--data $(DATA))

train-ner: $(VENV)/.bench ## Train the tagger of names anew from the labels (DATA=dir)
	@$(BIN)/python -m bench.train_ner --data $(DATA)

train-stories: $(VENV)/.bench ## Learn the clusterer's rules anew (DATA=dir)
	@$(BIN)/python -m bench.train_stories --data $(DATA)

dashboards: $(VENV)/.bench ## Generate the Grafana dashboards
	@$(BIN)/python -m deploy.grafana.generator

bench-dedup: $(VENV)/.bench ## Speed and memory of the deduplicator beside its peers (DATA=dir)
	@$(BIN)/python -m bench.dedup $(if $(DATA),--data $(DATA))

bench-entities: $(VENV)/.bench ## Speed of the enricher beside underthesea as documented (DATA=dir)
	@$(BIN)/python -m bench.entities $(if $(DATA),--data $(DATA))

bench-overload: $(VENV)/.dev ## Lag, memory and losses at twice the sustainable rate, on Apache Kafka
	@$(BIN)/python -m bench.overload

bench-stories: $(VENV)/.bench ## Speed of the clusterer beside its peers (DATA=dir)
	@$(BIN)/python -m bench.stories $(if $(DATA),--data $(DATA))

schemas: $(VENV)/.run ## Generate schemas/asyncapi.yaml from the topics and the records
	@$(BIN)/machtin topics asyncapi > schemas/asyncapi.yaml.new && mv schemas/asyncapi.yaml.new schemas/asyncapi.yaml

publish: $(VENV)/.dev ## On a release: make schemas/ the published contract; refuses what breaks the last one
	@cd tests/contract && ../../$(BIN)/python -m compatibility

audit: $(VENV)-audit/.ready ## Known vulnerabilities among the locked packages (says so where nobody can be asked)
	@$(VENV)-audit/bin/python -m deploy.audit $(VENV)-audit/bin/pip-audit || [ $$? -eq 3 ]

lock: $(VENV)/.run ## Pin every dependency anew, with hashes (after a change of pyproject.toml)
	@$(BIN)/pip install --quiet uv
	@for extra in "" dev bench; do \
	  $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
	    --python-version 3.11 --custom-compile-command "make lock" pyproject.toml \
	    $${extra:+--extra dev} $$([ "$$extra" = bench ] && echo --extra bench) \
	    -o requirements$${extra:+-$$extra}.lock || exit 1; \
	done

clean: ## Remove the environment, the brokers' files and the caches
	rm -rf $(VENV) $(VENV)-audit .machtin .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Three environments in one, each holding the one before: to run, to develop, to measure beside peers.
$(VENV)/.run: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Mạch Tin needs CPython 3.11 or newer: make PYTHON=python3.11 …" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Mạch Tin into $(VENV) (once; a minute or two) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@! command -v npm >/dev/null || npm ci --silent --no-audit --no-fund --prefix tests/contract/asyncapi
	@touch $@

$(VENV)/.bench: requirements-bench.lock $(VENV)/.dev
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

# pip-audit has an environment of its own: what it needs is no part of ours.
$(VENV)-audit/.ready: requirements-audit.lock
	@$(PYTHON) -m venv $(VENV)-audit
	@$(VENV)-audit/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-audit.lock
	@touch $@
