# Everything runs as `.venv/bin/python -m …` on relative paths, so that a
# folder with a space in its name does as well as any other.

VENV := .venv
PY := $(VENV)/bin/python

# The interpreter that makes $(VENV): make PYTHON=/path/to/python3.12 demo
PYTHON ?=
CANDIDATES := python3 python3.13 python3.12 python3.11 python

# A worker for each core; no more than two, for each loads TensorFlow and grows to 2 GB.
PYTEST := $(PY) -m pytest -n logical --maxprocesses 2 --dist worksteal

USABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))

.PHONY: help demo test test-all bench clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

help:
	@echo 'make demo      the main job on real data, end to end'
	@echo 'make test      ruff and the tests'
	@echo 'make test-all  the same with the slow tests, the notebook among them'
	@echo 'make bench     compare speed with other packages: tables and plots in build/bench'
	@echo 'make clean     remove $(VENV) and what builds and tests left behind'
	@echo
	@echo 'The first of them makes $(VENV) (Python 3.11 to 3.13; choose one with PYTHON=…).'

demo: $(VENV)/.installed-demo
	$(PY) -m tf_bertembed quickstart

test: $(VENV)/.installed-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PYTEST)

test-all: $(VENV)/.installed-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PYTEST) -m 'slow or not slow'

# Other packages' environments are made in benchmarks/.envs; PyTorch's takes 6 GB.
# BENCH='--only bulk_embedding --rounds 3' hands options on.
bench: $(VENV)/.installed-demo
	$(PY) benchmarks/run_all.py $(BENCH)

clean:
	rm -rf $(VENV) benchmarks/.envs build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are written last, so an install that broke off is done again.
$(VENV)/.installed-demo: setup.py
	@rm -f $@
	$(make_venv)
	$(PY) -m pip install -e '.[demo]'
	@touch $@

# What the tests need holds what the demo needs.
$(VENV)/.installed-dev: setup.py
	@rm -f $@
	$(make_venv)
	$(PY) -m pip install -e '.[dev]'
	@touch $(VENV)/.installed-demo $@

# Makes the environment unless a usable one is there.
define make_venv
@if ! $(PY) -c '$(USABLE)' 2>/dev/null || ! $(PY) -m pip --version >/dev/null 2>&1; then \
	for python in $(if $(PYTHON),'$(PYTHON)',$(CANDIDATES)); do \
		if "$$python" -c '$(USABLE)' >/dev/null 2>&1; then \
			echo "Making $(VENV) with $$("$$python" --version)"; \
			exec "$$python" -m venv --clear $(VENV); \
		fi; \
	done; \
	echo "error: no usable Python 3.11, 3.12 or 3.13 with the modules venv and ensurepip" \
		"was found. Tried: $(if $(PYTHON),$(PYTHON),$(CANDIDATES)). Install one (on Debian" \
		"and Ubuntu: apt-get install python3-venv) or name it: make PYTHON=/path/to/python3.12" >&2; \
	exit 1; \
fi
endef
