# make demo      set up, ingest examples/workshop and ask it questions
# make test      set up with the development packages and run every test
# make check     formatting, lint, types and the layers of the house
# make install   .venv/bin/ragcli and nothing else
# make bench     add what the scripts in benchmarks/ compare against
# make lock      resolve the dependencies again

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv

# uv does not read pip's find-links; handing them on lets a CPU build of torch be found.
FIND_LINKS := $(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null || $(PYTHON) -m pip config get :env:.find-links 2>/dev/null)
WITH_LINKS = $(if $(FIND_LINKS),UV_FIND_LINKS="$(FIND_LINKS)")
INSTALL = $(WITH_LINKS) $(UV) pip install -q --python $(BIN)/python
LOCK = $(WITH_LINKS) $(UV) pip compile -q --upgrade --no-annotate --no-header
DEMO := .demo

.PHONY: install dev bench demo test check lock clean

install: $(VENV)/.installed
dev: $(VENV)/.dev

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check "uv>=0.9"

$(VENV)/.installed: requirements.txt pyproject.toml | $(UV)
	@echo "Installing ragcli and its pinned requirements into $(VENV) ..."
	$(INSTALL) -r requirements.txt
	$(INSTALL) --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(UV)
	@echo "Installing ragcli with its development packages into $(VENV) ..."
	$(INSTALL) -r requirements-dev.txt
	$(INSTALL) --no-deps --editable .
	@touch $@ $(VENV)/.installed

bench: dev
	$(INSTALL) -r requirements-bench.txt

demo: install
	@sh examples/demo.sh $(BIN)/ragcli $(DEMO)

test: dev
	$(BIN)/python -m pytest

check: dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# The lock names torch without its build tag and without CUDA packages: which build it is, and what
# that build needs, is decided where it is installed.
lock: $(UV)
	$(LOCK) pyproject.toml --extra all --group dev -o requirements-dev.txt
	$(LOCK) pyproject.toml -c requirements-dev.txt -o requirements.txt
	$(LOCK) pyproject.toml --group bench -c requirements-dev.txt -o requirements-bench.txt
	sed -i.old -E 's/^(torch==[0-9.]+)\+[a-z0-9]+/\1/; /^(nvidia-|cuda-|triton)/d' requirements*.txt
	rm -f requirements*.txt.old

clean:
	rm -rf $(VENV) $(DEMO) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
