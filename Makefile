# make demo   the whole chain on a small real dataset: some minutes, no download of data
# make test   what must hold for a change: format, lint, types, unit and workflow tests
# make test-all   `make test`, and the tests that take long
# make tables the paper's tables, figures and report from trainings that are kept: a minute, offline
# make bench  how fast it is, written to docs/speed.md (a quarter of an hour)
# make reproduction   `make tables`, and what docs/reproduction/ shows of them
# make families  the second task, families of Rfam, written to docs/families/ (an hour; needs Infernal and MAFFT)
# make weights   the weights that mirpair comes with, and their cards: fourteen trainings, an hour
# make genomes   what a scan finds in yeast and in the human chromosome X, for docs/genomes.md (two hours)
# make scale   400,000 RNAs from records to splits, measured for docs/fresh.md (an hour; Debian's apt-get)
# make alternatives   what the paper also tried, written to docs/alternatives.md (an hour)
# make test-slurm  the demo on a SLURM that it starts and stops: nine minutes (needs slurm-wlm, munge)
# make fuzz   ten minutes of fuzzing for each reader of other people's files (an hour, Linux)
# make audit  known vulnerabilities of what is locked (needs uv and the network)
# make lock   resolve requirements.lock again after a change of pyproject.toml (needs uv)

PYTHON ?= python3
CORES ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# Of PyTorch there are CPU and CUDA builds, so it is installed apart from the lock: from a place of
# your own with `make env TORCH="torch==2.13.0 --index-url ..."`, see README.md.
TORCH ?= torch==2.13.0
BIN := .venv/bin
ENV := .venv/.complete

# Snakemake and matplotlib keep copies at home; without one that can be written, here.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export XDG_CACHE_HOME ?= $(CURDIR)/.cache
endif

SHIPPED := pre-mirna.safetensors pre-mirna.md mirbase22.tsv.xz

FUZZED := fasta dot-bracket npz arrays config sheets

.PHONY: test-all test-slurm fuzz audit demo tables reproduction families weights genomes scale test bench alternatives lint env lock schema
.DEFAULT_GOAL := demo

env: $(ENV)

$(ENV): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mirpair needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(ENV)
	$(BIN)/snakemake --cores $(CORES) all --configfile config/demo.yaml --quiet rules
	@echo
	@sed 's/\\|\(.*\)\\|\([^|]*\)|/|\1|\2  |/' results/demo/tables/demo.md
	@echo
	@echo "Report: $(CURDIR)/results/demo/report.html"

tables: $(ENV)
	$(BIN)/snakemake --cores $(CORES) all --config kept=docs/reproduction --quiet rules
	@echo
	@for table in results/paper/tables/table[2-4].md; do head -1 $$table; grep "inside in" $$table; done
	@echo
	@echo "Tables: $(CURDIR)/results/paper/tables/"
	@echo "Report: $(CURDIR)/results/paper/report.html"

# What docs/reproduction/ shows of them.
reproduction: tables
	mkdir -p docs/reproduction/tables
	cp results/paper/tables/*.csv results/paper/tables/*.md docs/reproduction/tables/
	cp results/paper/figures/tables/*.png docs/reproduction/tables/

families: $(ENV)
	$(BIN)/snakemake --cores $(CORES) families-report --configfile config/families.yaml --quiet rules
	mkdir -p docs/families
	cp results/families/tables/*.csv results/families/tables/*.md results/families/figures/*.png docs/families/

weights: $(ENV)
	$(BIN)/snakemake --cores $(CORES) results/families/shipped/families.safetensors \
	  --configfile config/families.yaml --quiet rules
	$(BIN)/snakemake --cores $(CORES) $(addprefix results/shipped/shipped/,$(SHIPPED)) \
	  --configfile config/shipped.yaml --quiet rules
	mkdir -p weights
	cp results/families/shipped/families.safetensors results/families/shipped/families.md weights/
	cp $(addprefix results/shipped/shipped/,$(SHIPPED)) weights/
	$(BIN)/python -m bench.golden

genomes: $(ENV)
	$(BIN)/snakemake --cores $(CORES) results/shipped/datasets/benchmark/records.tsv \
	  --configfile config/shipped.yaml --quiet rules
	$(BIN)/python -m bench.genomes

scale: $(ENV)
	$(BIN)/python -m bench.scale

# Of the real human set: it needs the network, or a mirror of the published files.
bench: $(ENV)
	$(BIN)/snakemake --cores $(CORES) results/paper/datasets/human/tensors.npz \
	  results/paper/datasets/cross-species/records.tsv --quiet rules
	$(BIN)/python -m bench

alternatives: $(ENV)
	$(BIN)/snakemake --cores $(CORES) all --configfile config/alternatives.yaml --quiet rules
	$(BIN)/python -m bench.alternatives

lint: $(ENV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint

# A file's tests share real runs, so they stay together; tests/conftest.py says which start first.
PYTEST := $(BIN)/pytest -n $(CORES) --maxprocesses 8 --dist loadfile --no-loadscope-reorder --ignore tests/slurm

test: lint
	$(PYTEST) -m "not thorough" tests

test-all: test
	$(PYTEST) -m thorough tests

test-slurm: $(ENV)
	$(BIN)/pytest tests/slurm

fuzz: $(ENV)
	for reader in $(FUZZED); do $(BIN)/python -m tests.fuzz $$reader -max_total_time=600 || exit 1; done

audit:
	uvx pip-audit --requirement requirements.lock --disable-pip

# PyTorch is left out, see TORCH above; so are all addresses of indexes.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --group dev --no-emit-package torch pyproject.toml -o requirements.lock

# What editors check a config by.
schema: $(ENV)
	$(BIN)/python -c 'import json; from mirpair.study.config import schema; \
	  print(json.dumps(schema(), indent=2))' > config/schema.json
