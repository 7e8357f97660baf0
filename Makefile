# Convenience over plain pip and buddy commands; the README shows those, too.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)# as in a container

.DEFAULT_GOAL := help
.PHONY: help demo lesson notebooks test-lessons test check bench docs clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-%: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[$*]"
	@touch $@

demo: $(VENV)/installed-train  ## a tiny model on the built-in data: train, evaluate, report (offline, a few minutes)
	$(BIN)/buddy demo
	@echo "(To type these commands, first: . $(BIN)/activate)"

lesson: $(VENV)/installed-lessons  ## the lessons, in JupyterLab: from two clusters of points to a companion
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/lessons/1_clusters.ipynb $(AS_ROOT)

notebooks: $(VENV)/installed-lessons  ## build the notebooks from lessons/*.py, with their outputs
	$(BIN)/python lessons/build.py

test-lessons: $(VENV)/installed-dev  ## run the notebooks from end to end (a few minutes)
	$(BIN)/pytest --nbmake --session-timeout 1800 --durations 4 lessons

test: $(VENV)/installed-dev  ## run the tests
	$(BIN)/pytest --numprocesses auto --cov --cov-report=term:skip-covered --cov-fail-under=90

check: $(VENV)/installed-dev  ## what CI checks before the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell buddy tests docs lessons recipes README.md CHANGELOG.md
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

docs: $(VENV)/installed-dev  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/installed-train  ## training speed against the Hugging Face Trainer, on the built-in data
	test -d data/builtin || $(BIN)/buddy prepare --source builtin --out data/builtin
	$(BIN)/buddy bench train --data data/builtin
	$(BIN)/buddy bench train --data data/builtin --backbone scratch:gpt2 --texts 256

clean:  ## remove what was built (not your data and runs)
	rm -rf build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
