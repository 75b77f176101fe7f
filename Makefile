# `make help` lists what there is. Set on the command line:
#   STUDY=DIR           the analysis in a folder: its config.yaml and data, its results and logs (default: this folder)
#   CORES=4             how many cores the pipeline may use (default: all)
#   PYTHON=python3.12   which Python makes the environment (default: the first of 3.11, 3.12 and 3.13 that is found)
#   ARGS="..."          anything more for snakemake (make report) or pytest (make test); ARGS=--printshellcmds has
#                       Snakemake name every job with its reason
CORES ?= all
UV ?= uv
BIN := .venv/bin
FOLDER := $(or $(STUDY),.)
ifneq ($(STUDY),)
ifeq ($(wildcard $(STUDY)/config.yaml),)
$(error STUDY=$(STUDY): there is no $(STUDY)/config.yaml; name the folder of a study, such as studies/sleepstudy)
endif
endif
SNAKEMAKE := $(BIN)/snakemake $(if $(STUDY),--directory "$(STUDY)")
# A file's tests run in one process, so that what they share is made once.
PARALLEL := -n logical --dist loadfile --no-loadscope-reorder

# Tools keep caches under HOME. Where nothing can be written there (some cluster nodes and CI jobs), they get a place here.
ifneq ($(shell test -n "$$HOME" && test -w "$$HOME" && echo yes),yes)
export XDG_CACHE_HOME := $(CURDIR)/.cache
export MPLCONFIGDIR := $(CURDIR)/.cache/matplotlib
endif

.DEFAULT_GOAL := help
.PHONY: help new report snakemake-report verify accept test test-fast check bench environment lock clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{printf "  make %-16s %s\n", $$1, $$2}'

report: environment  ## run the whole pipeline; the report is results/report.html
	$(SNAKEMAKE) --cores $(CORES) $(ARGS)

new: environment  ## a study's folder from a table: make new DATA=file GROUP=column RESPONSE=column [NAME=...]
	@$(BIN)/python workflow/new_study.py --data "$(DATA)" --group "$(GROUP)" --response "$(RESPONSE)" --name "$(NAME)" $(ARGS)

snakemake-report: report  ## the same run as Snakemake reports it, in one file: results/snakemake-report.html
	$(SNAKEMAKE) $(ARGS) --report results/snakemake-report.html -- all \
	    $$(test -f "$(FOLDER)/results/optimiser_audit.json" && echo audit) \
	    $$(test -f "$(FOLDER)/results/calibration/calibration.json" && echo calibration)
	@echo "Snakemake's report is at $$(cd "$(FOLDER)" && pwd)/results/snakemake-report.html"

verify: environment  ## run the whole pipeline and the audit; fail where a verdict or a number is not as accepted (tests/accepted/README.md)
	$(SNAKEMAKE) --cores $(CORES) --keep-going $(ARGS) -- verify all audit
	@cat "$(FOLDER)/logs/verify.log"

accept: environment  ## run the whole pipeline and the audit, and record its verdicts and numbers as accepted, on purpose
	$(SNAKEMAKE) --cores $(CORES) $(ARGS) -- accept all audit
	@cat "$(FOLDER)/logs/accept.log"

test: environment  ## run every test
	$(BIN)/pytest $(PARALLEL) $(ARGS)

test-fast: environment  ## run the tests that take less than about 5 seconds each
	$(BIN)/pytest $(PARALLEL) -m "not slow" $(ARGS)

check: environment  ## formatting, linting, types, snakemake --lint and a dry run
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint
	$(BIN)/snakemake --cores 1 --dry-run --forceall --quiet all

bench: environment  ## measure speed and scale beside R and other Python packages (benchmarks/README.md)
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/anatomy.py
	$(BIN)/python benchmarks/stages.py
ifneq ($(SCALE),0)
	TIME_FOR_R=$(or $(TIME_FOR_R),600) $(BIN)/python benchmarks/scale.py
endif
	$(BIN)/python benchmarks/report.py
	@echo "The results are at $(CURDIR)/benchmarks/results/README.md"

environment:  ## make .venv from envs/requirements.lock, where it is not up to date
	@command -v "$(or $(PYTHON),python3)" >/dev/null || { echo "error: $(or $(PYTHON),python3) was not found" >&2; exit 1; }
	@"$(or $(PYTHON),python3)" envs/make_environment.py $(if $(PYTHON),--python "$(PYTHON)")

lock:  ## write envs/requirements.lock anew from envs/requirements.in (needs uv)
	$(UV) pip compile envs/requirements.in --output-file envs/requirements.lock --upgrade --quiet \
	    --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	    --no-annotate --no-header

clean:  ## remove results, logs and caches (the environment stays: rm -rf .venv)
	cd "$(FOLDER)" && rm -rf results logs .snakemake
	rm -rf .cache .pytest_cache .mypy_cache .ruff_cache
	find workflow studies tests docs envs benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
