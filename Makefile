# Two commands do everything on a fresh machine with Python 3.11 or newer: `make run`, `make test`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= demo-data
PORT ?= 10000
SECONDS ?= 60
PYTEST ?= $(BIN)/python -bb -m pytest
# Tests run in as many processes as there are processors, each file in one of them.
PARALLEL ?= -n auto --maxprocesses 4 --dist loadfile

.PHONY: run test check lint types contracts fast slow e2e bench race soak fuzz clean help

help:
	@echo "make run     install what is needed and run a demonstration server"
	@echo "make test    the whole test suite"
	@echo "make check   style, types, import contracts, fast tests"
	@echo "make e2e     real programs against the server (installs them where it can), docs/clients.md"
	@echo "make bench   measure"
	@echo "make soak    200 simulated people for some minutes, who check all that they are told"
	@echo "make race    measure beside all other servers, and how cost grows; RACE=--quick for less"
	@echo "make fuzz    random inputs for all parsers, SECONDS=60 for each"

run: $(VENV)/installed
	$(BIN)/folkmoot demo --data $(DATA) --base-port $(PORT)

test: fast slow

check: lint types contracts fast

lint: $(VENV)/tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# mypy needs a folder that holds the package under its name.
types: $(VENV)/tools
	mkdir -p build/typing
	ln -sfn ../.. build/typing/folkmoot
	$(BIN)/mypy -p folkmoot.config -p folkmoot.storage -p folkmoot.sharing -p folkmoot.quota \
		-p folkmoot.auth -p folkmoot.protocols -p folkmoot.server
	$(BIN)/mypy tests benchmarks

contracts: $(VENV)/tools
	$(BIN)/lint-imports --no-cache

fast: $(VENV)/tools
	$(PYTEST) $(PARALLEL) -m "not slow and not e2e"

slow: $(VENV)/tools
	$(PYTEST) $(PARALLEL) -m "slow and not e2e"

e2e: $(VENV)/tools
	bash tests/e2e/clients.sh
	$(PYTEST) $(PARALLEL) --no-loadscope-reorder -p tests.e2e.results -m e2e

bench: $(VENV)/tools
	$(BIN)/python -m benchmarks.mail
	$(BIN)/python -m benchmarks.dav
	$(BIN)/python -m benchmarks.groups

SOAK ?= --minutes 3
soak: $(VENV)/tools
	$(BIN)/python -m benchmarks.soak $(SOAK)

race: $(VENV)/tools
	$(BIN)/python -m benchmarks.race --fetch $(RACE)

# Without atheris (it has wheels for few platforms) inputs are mutated without guidance.
fuzz: $(VENV)/tools
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-fuzz.lock
	nice $(BIN)/python -m tests.fuzz --seconds $(SECONDS) $(TARGETS)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Folkmoot needs Python 3.11 or newer: make PYTHON=python3.11 …"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python requirements.lock setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/tools: $(VENV)/installed requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@
