# make demo          run the complete workflow on a small real dataset: some minutes, no download of data
# make test          run the tests for every change: format, lint, types, unit and workflow tests
# make test-all      run `make test`, then the long tests
# make tables        make the paper's tables, figures and report from saved results: a minute, offline
# make reproduction  run `make tables`, copy the tables to docs/reproduction/ and write its page
# make bench         measure speed and write docs/speed.md (a quarter of an hour)
# make families      run the second task, families of Rfam, and write docs/families/ (an hour; needs
#                    Infernal and MAFFT)
# make weights       train the shipped weights and write their cards: fourteen trainings, an hour
# make finder        after `make weights`: run the rest of its study, evaluate the weights and write
#                    docs/finder.md (three quarters of an hour)
# make genomes       scan yeast, bacteria and chromosomes of animals and plants, and write
#                    docs/genomes.md (half an hour)
# make known         measure which RNAs are recognised as known hairpins, and write docs/known.md (five
#                    minutes)
# make scale         measure 400,000 RNAs from records to splits, for docs/fresh.md (an hour; needs
#                    Debian's apt-get)
# make alternatives  train what the paper also tried and write docs/alternatives.md (an hour)
# make site          build the site of the documentation in site/: half a minute, offline
# make test-slurm    run the demo on a SLURM that it starts and stops: nine minutes (needs slurm-wlm, munge)
# make fuzz          fuzz each reader of user files for ten minutes (an hour, Linux)
# make audit         check the locked versions for known vulnerabilities (needs uv and the network)
# make lock          resolve requirements.lock after a change of pyproject.toml (needs uv)

PYTHON ?= python3
CORES ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# PyTorch has CPU and CUDA builds, so it is not in the lock file. Choose a build with
# `make env TORCH="torch==2.13.0 --index-url ..."`, see README.md.
TORCH ?= torch==2.13.0
BIN := .venv/bin
ENV := .venv/.complete

# Snakemake and matplotlib cache files in the home folder; if it is not writable, use this folder.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export XDG_CACHE_HOME ?= $(CURDIR)/.cache
endif

SHIPPED := pre-mirna.safetensors pre-mirna.md mirbase22.tsv.xz

FUZZED := fasta dot-bracket npz arrays config sheets

.PHONY: test-all test-slurm fuzz audit demo tables reproduction families weights finder genomes known scale test bench alternatives lint env lock schema site
.DEFAULT_GOAL := demo

env: $(ENV)

$(ENV): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mirpair needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Use another Python: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
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
	$(BIN)/snakemake --cores $(CORES) all --configfile config/config.yaml config/reproduction.yaml \
	  --config reuse=docs/reproduction --quiet rules
	@echo
	@echo "Published values that lie in our 95 % interval:"
	@for table in results/paper/tables/table[2-4].md; do head -1 $$table; grep "inside in" $$table; done
	@echo
	@echo "Tables: $(CURDIR)/results/paper/tables/"
	@echo "Report: $(CURDIR)/results/paper/report.html"

# Copies the tables that docs/reproduction/ shows, and writes its page.
reproduction: tables
	mkdir -p docs/reproduction/tables
	cp results/paper/tables/*.csv results/paper/tables/*.md docs/reproduction/tables/
	cp results/paper/figures/tables/*.png docs/reproduction/tables/
	cp results/paper/figures/figure3.png docs/reproduction/
	$(BIN)/python -m bench.reproduction

families: $(ENV)
	$(BIN)/snakemake --cores $(CORES) families-report --configfile config/families.yaml --quiet rules
	$(BIN)/snakemake --cores $(CORES) families-report --configfile config/every-family.yaml --quiet rules
	mkdir -p docs/families/every
	cp results/families/tables/*.csv results/families/tables/*.md results/families/figures/*.png docs/families/
	cp results/every-family/tables/*.csv results/every-family/tables/*.md \
	  results/every-family/figures/*.png results/every-family/datasets/all/families.tsv docs/families/every/

weights: $(ENV)
	$(BIN)/snakemake --cores $(CORES) results/every-family/shipped/families.safetensors \
	  --configfile config/every-family.yaml --quiet rules
	$(BIN)/snakemake --cores $(CORES) $(addprefix results/finder/shipped/,$(SHIPPED)) \
	  --configfile config/finder.yaml --quiet rules
	mkdir -p weights
	cp $(addprefix results/every-family/shipped/families.,safetensors md cm.xz) weights/
	cp $(addprefix results/finder/shipped/,$(SHIPPED)) weights/
	$(BIN)/python -m bench.golden

finder: $(ENV)
	$(BIN)/snakemake --cores $(CORES) all --configfile config/finder.yaml --quiet rules
	$(BIN)/python -m bench.finder

genomes: $(ENV)
	$(BIN)/python -m bench.genomes

known: $(ENV)
	$(BIN)/python -m bench.known

scale: $(ENV)
	$(BIN)/python -m bench.scale

# Measures on the published human set: needs the network, or a mirror of the published files.
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

# The tests of a file share real runs, so one process runs them; tests/conftest.py sets the order.
PYTEST := $(BIN)/pytest -n $(CORES) --maxprocesses 8 --dist loadfile --no-loadscope-reorder --ignore tests/slurm

test: lint
	$(PYTEST) -m "not thorough" tests

test-all: test
	$(PYTEST) -m thorough tests

test-slurm: $(ENV)
	$(BIN)/pytest tests/slurm

site: $(ENV)
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -c docs -d site/.doctrees . site
	@echo "Site: $(CURDIR)/site/docs/index.html"

fuzz: $(ENV)
	for reader in $(FUZZED); do $(BIN)/python -m tests.fuzz $$reader -max_total_time=600 || exit 1; done

audit:
	uvx pip-audit --requirement requirements.lock --disable-pip

# Without PyTorch, see TORCH above, and without addresses of package indexes.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --all-extras --group dev --no-emit-package torch pyproject.toml -o requirements.lock

# The schema with which editors check a config, and the tables of keys in config/README.md.
schema: $(ENV)
	$(BIN)/python -m bench.config_docs
