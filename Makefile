# make demo   the whole path on this machine, in a local AWS
# make test   every test, the quick ones first
# make bench  the bridge beside the SDK alone and other bridges: FRAMES=200000 of them;
#             SECTIONS="latency backlog" are those wanted, BACKLOG=1000000 messages in a full spool
# make soak   faults over half an hour, with the counts: MINUTES=10 of them the long run
# make check  style and types
# make brokers   Mosquitto, from the packages of Debian or Ubuntu; as root

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: setup demo test bench soak check brokers requirements clean

setup: $(READY)

$(READY): requirements.txt pyproject.toml package.json package-lock.json
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	@echo 'Installing into $(VENV) and node_modules: about a minute …'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	rm -rf build/decoder
	$(BIN)/pip install --quiet --disable-pip-version-check --target build/decoder --no-deps \
	    --only-binary :all: --platform manylinux_2_28_aarch64 --implementation cp \
	    --python-version 3.14 --abi cp314 --abi abi3 \
	    --constraint requirements.txt msgspec quickjs-ng tree-sitter tree-sitter-javascript
	npm ci --loglevel=error
	touch $@

demo: setup
	$(BIN)/python -m lab.demo $(if $(KEEP),--keep)

test: setup
	$(BIN)/pytest

bench: setup
	$(BIN)/python -m lab.bench $(SECTIONS) $(if $(FRAMES),--frames $(FRAMES)) \
	    $(if $(BACKLOG),--backlog $(BACKLOG))

soak: setup
	$(BIN)/python -m lab.soak $(SCENARIOS) $(if $(MINUTES),--minutes $(MINUTES))

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Mosquitto for tests, bench and soak, and what the shell pipeline of the bench uses; as root.
brokers:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    mosquitto mosquitto-clients netcat-openbsd

# After a change of the pins in pyproject.toml.
requirements: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	    --custom-compile-command 'make requirements' pyproject.toml --output-file requirements.txt

clean:
	rm -rf $(VENV) node_modules cdk.out build *.egg-info
