# Everything here is one line over a command of the environment in .venv; see `make help`.
# Written for POSIX sh and GNU make 3.81, which macOS ships.

# The interpreter that creates the environment, e.g. make book PYTHON=python3.12
PYTHON ?= python3
# The tested versions; make test CONSTRAINTS= takes the newest that pyproject.toml allows.
CONSTRAINTS ?= constraints.txt

# Relative paths only: make cannot handle a space in the name of a target.
BIN := .venv/bin
READY := .venv/ready
LAB := .venv/ready-lab
HOOKS := .venv/ready-hooks
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check $(if $(CONSTRAINTS),-c "$(CONSTRAINTS)")

# $(call stage,title,command): a heading, the command, its time; a failure ends the recipe.
stage = printf '\n=== %s\n' '$(1)'; begun=$$(date +%s); $(2) || { code=$$?; \
	printf '=== %s: failed\n' '$(1)'; exit $$code; }; \
	printf '=== %s: passed in %s s\n' '$(1)' "$$(( $$(date +%s) - begun ))"

# A test run starts some hundred processes that import the same modules; each would compile them again.
unexport PYTHONDONTWRITEBYTECODE

# Workers share two cores: more threads than one each only wait for one another. A third one works while
# others wait for a browser, a cluster or a process that they killed.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
# The built book is looked at once it is built again, which these tests come before.
BUILT := tests/book/test_book.py tests/book/test_pages_in_browser.py
UNIT_TESTS := $(ONE_THREAD) $(BIN)/python -m pytest -n 3 --dist worksteal --ignore=tests/notebooks $(BUILT:%=--ignore=%) \
	--cov --cov-report=term

# One page is built after the other, and the last notebooks run alone: together they use both cores to the end.
# What the build says is shown at its end; either failure fails both.
VERIFY_AND_BUILD := ( mkdir -p _build; $(BIN)/coursebook build > _build/beside.log 2>&1 & build=$$!; \
	trap 'kill $$build 2> /dev/null' EXIT; trap 'exit 130' INT TERM; $(BIN)/coursebook verify; outputs=$$?; \
	wait $$build; built=$$?; cat _build/beside.log; [ $$outputs = 0 ] && [ $$built = 0 ] )

.DEFAULT_GOAL := help
.PHONY: help book pdf epub cheatsheet test lab execute studies bench format hooks clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | \
		while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

book: $(READY) ## build the book from the stored outputs and say where it lies
	@$(BIN)/coursebook build

pdf: $(READY) ## print the whole book into one PDF; needs Chromium
	@$(BIN)/coursebook pdf

epub: $(READY) ## build the book as an EPUB
	@$(BIN)/coursebook epub

cheatsheet: book ## print the cheat sheet on one page; needs Chromium
	@$(BIN)/coursebook cheatsheet

test: $(READY) ## verify everything: code, notebooks, every stored output, the book
	@$(call stage,lint,$(BIN)/ruff check && $(BIN)/ruff format --check)
	@$(call stage,types,$(BIN)/mypy)
	@$(call stage,a browser for the tests,$(BIN)/python -m tests.book.browser)
	@$(call stage,unit tests and coverage,$(UNIT_TESTS))
	@$(call stage,notebooks agree with their sources,$(BIN)/python -m pytest tests/notebooks)
	@$(call stage,stored outputs are reproduced; meanwhile the book builds without a warning,$(VERIFY_AND_BUILD))
	@$(call stage,the built pages keep their rules,BOOK_IS_BUILT=yes $(BIN)/python -m pytest -n 2 $(BUILT))

lab: $(LAB) ## open the chapters and workbooks for the exercises in JupyterLab
	@$(BIN)/coursebook workbooks
	@$(BIN)/jupyter lab

execute: $(READY) ## run the notebooks whose code or surroundings changed and store their outputs
	@$(BIN)/coursebook execute

studies: $(READY) ## run the registered studies whose results are not complete
	@$(BIN)/dropoutlab study run all

bench: $(READY) ## measure speed against peers and limits, and store it for the book
	@$(BIN)/python benchmarks/run.py

format: $(READY) ## sort imports and format the code
	@$(BIN)/ruff check --select I --fix --quiet src tests benchmarks && $(BIN)/ruff format src tests benchmarks

hooks: $(HOOKS) ## check every commit with ruff, mypy and coursebook check

clean: ## remove the built book and all caches; rm -r .venv removes the environment
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
	find chapters exercises -name '.*.partial' -exec rm -f {} +

$(READY): pyproject.toml $(CONSTRAINTS)
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Python 3.11 or newer is needed: make book PYTHON=/path/to/python3.12 chooses one.' >&2; exit 1; }
	@[ -x $(BIN)/python ] || "$(PYTHON)" -m venv --clear .venv
	$(INSTALL) -e '.[book,test,cluster]'
	@touch $(READY)

$(LAB): $(READY)
	$(INSTALL) -e '.[lab]'
	@touch $(LAB)

$(HOOKS): $(READY) .pre-commit-config.yaml
	$(INSTALL) -e '.[dev]'
	$(BIN)/pre-commit install
	@touch $(HOOKS)
