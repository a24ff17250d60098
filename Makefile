PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PIP := $(BIN)/pip --disable-pip-version-check
# Two at a time: the tests that deploy to the local AWS take one, all others the other.
PARALLEL := --numprocesses 2 --dist loadgroup

export PATH := $(CURDIR)/$(BIN):$(PATH)
# A proxy's CA, for npm too: it does not look at where Python finds it.
ifdef SSL_CERT_FILE
export NODE_EXTRA_CA_CERTS ?= $(SSL_CERT_FILE)
endif

.PHONY: help setup demo docs quick test bench soak check brokers requirements uplot screenshots clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(READY)  ## install everything into .venv, node_modules and build: 1.4 GB

$(READY): requirements.txt pyproject.toml package.json package-lock.json
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	@echo '1.4 GB go into $(VENV), node_modules and build. That takes minutes on a slow line.'
	@echo '1/3 Python packages …'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --requirement requirements.txt | sed -u -n 's/^Collecting /    /p'
	$(PIP) install --quiet --no-deps --editable .
	@echo '2/3 the libraries of the Lambda function …'
	rm -rf build/decoder
	$(PIP) install --quiet --target build/decoder --no-deps \
	    --only-binary :all: --platform manylinux_2_28_aarch64 --implementation cp \
	    --python-version 3.14 --abi cp314 --abi abi3 \
	    --constraint requirements.txt msgspec quickjs-ng tree-sitter tree-sitter-javascript
	@echo '3/3 the CDK CLI …'
	npm ci --loglevel=error
	touch $@

demo: setup  ## the whole path on this machine, in a local AWS: SOURCE=chirpstack; KEEP=1 keeps it running
	$(BIN)/python -m lab.demo $(if $(SOURCE),--source $(SOURCE)) $(if $(KEEP),--keep)

docs: setup  ## write docs/commands.md anew, from --help
	$(BIN)/python -m lab.commands_page

screenshots: setup  ## take the pictures of the pages anew, docs/images/*.png, from the demo's data
	$(BIN)/python -m lab.demo.pictures

quick: setup  ## the tests that need no broker, no Chromium and no local AWS: under a minute
	$(BIN)/pytest $(PARALLEL) -m 'not broker and not aws and not browser'

test: setup  ## every test
	$(BIN)/pytest $(PARALLEL)

bench: setup  ## measure beside the SDK and others: SECTIONS="latency backlog" FRAMES=200000 BACKLOG=1000000
	$(BIN)/python -m lab.bench $(SECTIONS) $(if $(FRAMES),--frames $(FRAMES)) \
	    $(if $(BACKLOG),--backlog $(BACKLOG))

soak: setup  ## half an hour of faults, with the counts: SCENARIOS="kills pair" MINUTES=10
	$(BIN)/python -m lab.soak $(SCENARIOS) $(if $(MINUTES),--minutes $(MINUTES))

check: setup  ## style, types, and who imports whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PYTHONPATH=.:lambda $(BIN)/lint-imports --no-logo

brokers:  ## install Mosquitto, Chromium, and what bench and tests pipe with; Debian or Ubuntu, as root
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    mosquitto mosquitto-clients chromium netcat-openbsd jq

requirements: setup  ## write requirements.txt anew, after a change of the pins in pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	    --custom-compile-command 'make requirements' pyproject.toml --output-file requirements.txt

uplot: setup  ## copy the charts' library anew into the pages, after a change of its pin in package.json
	cp $(addprefix node_modules/uplot/,dist/uPlot.esm.js dist/uPlot.min.css LICENSE) \
	    console/web/static/uplot/

clean:  ## remove what was installed and built
	rm -rf $(VENV) node_modules cdk.out build *.egg-info
