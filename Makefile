# Everything a newcomer runs. Set-up goes into .venv in this checkout and is done again only when a lock file changes.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help setup setup-node setup-ruby setup-java setup-dotnet setup-network setup-oci setup-images setup-emulator setup-companion setup-runtimes setup-programs demo test lint unit bench overload chaos chaos-master-key guest fuzz escape neighbour scale identity-cost docs lock clean

PY := .venv/bin/python
JS := tests/conformance/js
RIC := tests/component/nodejs_runtime/reference
PROGRAMS := tests/conformance/programs/nodejs
DOTNET := tests/dotnet_sdk
LAUNCHER := src/lampion/sandbox/launcher
STEP = @printf '\n== %s\n'
LOCK := .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

COMPANION := .venv-companion/.ministack-1.5.33
BENCH_PEERS := .venv-bench/sam/.aws-sam-cli-1.170.0 .venv-bench/ric/.awslambdaric-4.2.2 .venv-bench/ministack/.ministack-1.5.33

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

help: ## show this list
	@echo "Lampion. Targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

# -- set-up ----------------------------------------------------------------------------------------------------------

setup: .venv/.launcher ## virtual environment, dependencies, the package itself and the C launcher

setup-node: $(JS)/node_modules/.package-lock.json $(RIC)/node_modules/.package-lock.json

setup-java:
	@scripts/system-packages java

setup-dotnet: $(DOTNET)/node_modules/libssl.so.lampion

setup-ruby:
	@scripts/system-packages ruby

setup-oci:
	@scripts/system-packages oci

setup-images:
	@scripts/system-packages images

setup-emulator:
	@scripts/system-packages emulator

setup-companion: $(COMPANION)

setup-runtimes:
	@scripts/system-packages runtimes

setup-programs: .venv-programs/.installed $(PROGRAMS)/node_modules/.package-lock.json

setup-network:
	@scripts/system-packages network

.venv/.python: scripts/system-packages scripts/find-python
	$(STEP) "set-up: system packages"
	@scripts/system-packages
	$(STEP) "set-up: virtual environment .venv"
	@python=$$(scripts/find-python) && echo "$$python ($$($$python -V))" && \
	  { $(PY) -m pip --version >/dev/null 2>&1 || $$python -m venv --clear .venv; }
	@touch $@

.venv/.packages: requirements/dev.lock .venv/.python
	$(STEP) "set-up: packages of requirements/dev.lock, checked by hash"
	@$(PY) -m pip install -qq --require-hashes -r requirements/dev.lock
	@touch $@

.venv/.lampion: pyproject.toml .venv/.packages
	$(STEP) "set-up: lampion itself, editable"
	@$(PY) -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

.venv/.launcher: $(wildcard $(LAUNCHER)/*.[ch] $(LAUNCHER)/*/*.c $(LAUNCHER)/*.py) .venv/.lampion
	$(STEP) "set-up: the sandbox launcher (C)"
	@$(PY) -m lampion.sandbox.launcher.build
	@touch $@

$(JS)/node_modules/.package-lock.json: $(JS)/package-lock.json
	$(STEP) "set-up: AWS SDK for JavaScript, for tests"
	@scripts/system-packages node
	@cd $(JS) && npm ci --silent --no-audit --no-fund </dev/null
	@touch $@

# without scripts: AWS's clients would build their native part, which the tests replace
$(RIC)/node_modules/.package-lock.json: $(RIC)/package-lock.json
	$(STEP) "set-up: AWS's runtime clients for Node.js, and versions of Node.js, for tests"
	@scripts/system-packages node
	@cd $(RIC) && npm ci --ignore-scripts --silent --no-audit --no-fund </dev/null
	@touch $@

$(PROGRAMS)/node_modules/.package-lock.json: $(PROGRAMS)/package-lock.json
	$(STEP) "set-up: what the Node.js programs of the tests bring"
	@scripts/system-packages node
	@cd $(PROGRAMS) && npm ci --ignore-scripts --silent --no-audit --no-fund </dev/null
	@touch $@

# its compiler hashes with OpenSSL, but .NET 3.1 knows only versions that no current system has
$(DOTNET)/node_modules/libssl.so.lampion: $(DOTNET)/package-lock.json $(DOTNET)/openssl_names.c
	$(STEP) "set-up: .NET SDK, for tests"
	@scripts/system-packages node
	@cd $(DOTNET) && npm ci --ignore-scripts --silent --no-audit --no-fund </dev/null
	@mkdir -p $(@D)
	@gcc -shared -fPIC -O1 -o $@ $(DOTNET)/openssl_names.c -Wl,--no-as-needed -l:libssl.so.3 -l:libcrypto.so.3

# without what they depend on: the lock file names all of it but boto3 and its own, which the runtime has as on AWS
.venv-programs/.installed: requirements/programs.lock | .venv/.python
	$(STEP) "set-up: what the Python programs of the tests bring"
	@rm -rf $(@D) && $(PY) -m pip install -qq --no-compile --no-deps --require-hashes --target $(@D)/packages -r $<
	@touch $@

# -- use -------------------------------------------------------------------------------------------------------------

demo: setup ## start a server, deploy two functions, invoke them, and stay up until Ctrl-C
	$(STEP) "demo"
	@exec $(PY) examples/demo.py

test: setup setup-node setup-ruby setup-java setup-dotnet setup-network setup-oci setup-images setup-emulator setup-companion setup-runtimes setup-programs lint ## all checks and the whole test suite
	@scripts/system-packages escape
	@scripts/system-packages wrk
	$(STEP) "pytest: two runs beside each other; what the second writes is shown at the end"
	@$(PY) -m tests.suite

lint: setup ## formatting, lint, types and import rules
	$(STEP) "ruff format --check"
	@.venv/bin/ruff format --check .
	$(STEP) "ruff check"
	@.venv/bin/ruff check .
	$(STEP) "mypy --strict"
	@.venv/bin/mypy
	$(STEP) "import rules"
	@.venv/bin/lint-imports

unit: setup ## only the fast tests, no server
	@$(PY) -m pytest tests/unit tests/architecture

bench: setup $(BENCH_PEERS) ## benchmarks with references and peers in the same run; minutes; REPEATS=n
	@scripts/system-packages wrk
	$(STEP) "benchmarks; results go to benchmarks/results"
	@$(PY) -m benchmarks $(if $(REPEATS),--repeats $(REPEATS)) $(BENCH_OPTIONS)

# DIRECTORY/.PACKAGE-VERSION: a peer of benchmarks or tests, in a virtual environment of its own
$(BENCH_PEERS) $(COMPANION): | .venv/.python
	$(STEP) "set-up: $(patsubst .%,%,$(notdir $@)) in $(@D)"
	@rm -rf $(@D) && $(PY) -m venv $(@D)
	@$(@D)/bin/python -m pip install -qq $$(echo $(patsubst .%,%,$(notdir $@)) | sed 's/-\([0-9.]*\)$$/==\1/')
	@touch $@

overload: setup ## three times as many requests as can be served, and the recovery; a minute or two
	@scripts/system-packages wrk
	$(STEP) "overload"
	@$(PY) -m benchmarks.overload --result docs/results/overload.md

chaos: setup ## kill -9 at 100 random moments; minutes
	$(STEP) "kill -9"
	@$(PY) -m tests.chaos.kill9 --rounds 100 --result docs/results/kill9.md

chaos-events: setup ## kill -9 at ROUNDS=200 random moments under a load of events; minutes
	$(STEP) "kill -9 under a load of events"
	@$(PY) -m tests.chaos.events.kill9 --rounds $(or $(ROUNDS),200) --result docs/results/kill9-events.md

chaos-master-key: setup ## kill -9 a move of the master key at ROUNDS=150 moments; minutes
	$(STEP) "kill -9 while the master key moves"
	@$(PY) -m tests.chaos.master_key_move --rounds $(or $(ROUNDS),150) --result docs/results/kill9-master-key.md

chaos-disk: setup ## kill the event side at every step on its disk, and cut the power 2,000 times; minutes
	$(STEP) "every step on the disk"
	@$(PY) -m tests.chaos.disk.kill_points --again --result docs/results/kill-points.md
	$(STEP) "power cuts"
	@$(PY) -m tests.chaos.disk.kill_points --power-cuts 2000 --result docs/results/power-cuts.md

deep-queue: setup ## a start on EVENTS=100000 queued events, and all of them run; minutes
	$(STEP) "a deep queue"
	@$(PY) -m tests.chaos.events.deep_queue --events $(or $(EVENTS),100000) --result docs/results/deep-queue.md

guest: setup ## sandbox limits under cgroup version 2, in a virtual machine; minutes; AS=user for an ordinary user
	@scripts/system-packages guest
	$(STEP) "cgroup version 2"
	@$(PY) -m tests.guest.limits $(if $(filter user,$(AS)),--user --result docs/results/cgroup-v2-user.md,--result docs/results/cgroup-v2.md)

fuzz: setup ## 20,000 bad requests against a live server, a minute or two; SEED="numbers" for others
	$(STEP) "bad requests"
	@$(PY) -m tests.conformance.bad_requests.programme --count 20000 $(if $(SEED),--seed $(SEED)) \
	  --result docs/results/bad-requests.md

escape: setup setup-node ## attack the sandboxes with every probe, and a control run without them; minutes, as root
	@scripts/system-packages escape
	$(STEP) "escape probes"
	@$(PY) -m tests.escape --result docs/results/escape.md

neighbour: setup ## a function's answers while another one abuses the machine; minutes
	$(STEP) "an abusive neighbour"
	@$(PY) -m tests.escape.neighbour --result docs/results/neighbour.md

scale: setup ## a store of 10,000 functions with 10 versions each; a minute
	$(STEP) "many functions"
	@$(PY) -m tests.scale.many_functions --result docs/results/many-functions.md

identity-cost: setup ## what the signature check and the policies cost a warm invoke; seconds
	$(STEP) "signature and policies"
	@$(PY) -m tests.scale.identity_cost --result docs/results/identity-cost.md

docs: setup ## write the generated reference pages again
	@$(PY) -m scripts.reference_pages

lock: setup ## resolve the newest dependencies into requirements/*.lock
	@$(LOCK) --upgrade requirements/runtime.in -o requirements/runtime.lock
	@$(LOCK) --upgrade requirements/dev.in -o requirements/dev.lock
	@$(LOCK) --upgrade requirements/programs.in -o requirements/programs.lock \
	  $(addprefix --no-emit-package ,boto3 botocore jmespath python-dateutil s3transfer six urllib3)

clean: ## remove everything that set-up and tools made
	@rm -rf .venv .venv-* .guest build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache $(JS)/node_modules $(RIC)/node_modules $(PROGRAMS)/node_modules $(DOTNET)/node_modules $(LAUNCHER)/lampion-*
	@find src tests benchmarks examples scripts -name __pycache__ -type d -prune -exec rm -rf {} +
