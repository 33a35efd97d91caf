# make demo     a real, sick training on real data: watched, diagnosed, repaired, reported
# make test     the whole test suite
# make check    what CI runs: format, lint, types, tests, documentation
# make bench    the cost of watching and the speed of the functions, as tables (7 minutes); `make bench-peers`
#               installs what watching is compared with
# make ward     sick and healthy trainings, what limen says of each, and docs/ward.md (half an hour); `make ward-data`
#               fetches one of its data sets, `make ward-harm` checks that its sick trainings are sick
# make docs     the documentation, into site/
# make picture  docs/report.png anew
# make clean    everything that the targets above made, but not the environment; `rm -rf .venv` for that
#
# Each target makes the environment it needs first. Nothing but Python 3.11 and its venv module has to be there.

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
WORKERS ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q $(PIPFLAGS) -c constraints.txt
IN_C := src/limen/kernels src/limen/kernels/functions src/limen/probe/quick
COMPILED := setup.py $(wildcard $(IN_C:=/*.[ch]))
SOURCES := src tests examples benchmarks ward docs

export OMP_NUM_THREADS ?= 1
export NO_MKDOCS_2_WARNING := 1

.PHONY: setup demo test check lint types bench bench-probe bench-peers bench-scaling bench-budget bench-start bench-findings
.PHONY: bench-functions bench-init bench-numerics docs ward ward-harm ward-data picture clean
.DELETE_ON_ERROR:

setup: .venv/.dev

# torch comes first and pinned: resolved together with the rest it would bring several GB of CUDA along
.venv/.torch: constraints.txt
	@test -n "$(PYTHON)" || { echo "limen needs Python 3.11 or newer: apt-get install python3.11 python3.11-venv"; exit 2; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv || { \
	    echo "The venv module is missing: apt-get install $$(basename "$(PYTHON)")-venv"; rm -rf .venv; exit 2; }
	@echo 'Installing torch into .venv; this happens once.'
	@$(PIP) torch
	@touch $@

.venv/.demo: .venv/.torch pyproject.toml $(COMPILED)
	@echo 'Installing limen.'
	@$(PIP) -e '.[demo]'
	@touch $@

.venv/.dev: .venv/.torch pyproject.toml $(COMPILED)
	@echo 'Installing limen and what its tests need.'
	@$(PIP) -e '.[dev]'
	@touch $@ .venv/.demo

demo: .venv/.demo
	$(BIN)/limen demo

test: .venv/.dev
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal

# types and documentation keep one core each
check: .venv/.dev
	$(MAKE) -j $(WORKERS) lint types docs
	$(MAKE) test

lint: .venv/.dev
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)

types: .venv/.dev
	$(BIN)/pyright

bench: bench-probe bench-functions

# BENCH is for options: make bench-probe BENCH=--quick
bench-probe: .venv/.dev
	$(BIN)/python -m benchmarks.watching $(BENCH)

bench-scaling: .venv/.dev
	$(BIN)/python -m benchmarks.scaling $(BENCH)

bench-budget: .venv/.dev
	$(BIN)/python -m benchmarks.keeping $(BENCH)

bench-start: .venv/.dev
	$(BIN)/python -m benchmarks.starting $(BENCH)

bench-findings: .venv/.dev
	$(BIN)/python -m benchmarks.judging $(BENCH)

# BENCH='--clock cpu' on a machine that others use too; --compile adds torch.compile
bench-functions: .venv/.dev
	$(BIN)/python -m benchmarks.functions $(BENCH)

bench-init: .venv/.dev
	$(BIN)/python -m benchmarks.initialisation --workers $(WORKERS) $(BENCH)

bench-numerics: .venv/.dev
	$(BIN)/python -m benchmarks.numerics $(BENCH)

# the whole ward; for a part of it: .venv/bin/python -m ward --help
ward: .venv/.dev
	$(BIN)/python -m ward --save --jobs $(WORKERS)
	$(BIN)/python -m ward.write

ward-harm: .venv/.dev
	$(BIN)/python -m ward.harm --save --jobs $(WORKERS)

# the data of a package that would bring R along
ward-data:
	@mkdir -p ward/downloaded
	cd ward/downloaded && apt-get download r-cran-mlbench && dpkg -x r-cran-mlbench_*.deb .
	@mv ward/downloaded/usr/lib/R/site-library/mlbench ward/downloaded/ && rm -r ward/downloaded/usr ward/downloaded/*.deb

# backpack asks for torchvision, and that for a torch of its own: hence alone
bench-peers: .venv/.dev
	$(PIP) -r benchmarks/requirements.txt
	$(PIP) --no-deps -r benchmarks/requirements-alone.txt

docs: .venv/.dev
	$(BIN)/mkdocs build --strict --quiet

picture: .venv/.dev
	$(BIN)/python docs/picture.py

clean:
	rm -rf $(IN_C:=/*.so) build dist site .pytest_cache .ruff_cache .hypothesis src/*.egg-info limen-*.html limen-*.json *.limen *.limen-shm *.limen-wal
	find src tests benchmarks docs examples -name __pycache__ -prune -exec rm -rf {} +
