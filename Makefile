# The commands of this kit. `make` alone lists the targets.

PYTHON ?= python3
BIN := .venv/bin
export JUPYTER_PLATFORM_DIRS := 1
# Hundreds of processes load the kit: where this is set, each of them would compile it again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test golden mutants hostile fuzz kills notebooks fast bench lint release grade lab doctor datasets sandbox clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(BIN)/.installed sandbox ## build the release, grade a sample class, print the report's path
	@$(BIN)/autograder release
	@$(BIN)/autograder demo build/demo

test: $(BIN)/.tested sandbox ## set up, run every test, print the coverage
	$(BIN)/python -m pytest -n auto --dist loadgroup --cov --cov-report=term:skip-covered

golden: $(BIN)/.tested sandbox ## show how the reports of fixed submissions differ from the golden ones (ARGS=--accept)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.golden $(ARGS)

mutants: $(BIN)/.tested sandbox ## measure the verdicts: wrong versions must fail and be named, right versions must pass
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.mutants
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.mutants --catalogue
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.mutants --right
	ALL_CASES=1 $(BIN)/python -m pytest -n auto --dist loadgroup tests/test_samples.py tests/test_failing_criteria.py \
	  tests/test_cli.py tests/golden

hostile: $(BIN)/.tested sandbox ## run every planted attack in the best sandbox of this machine, and in the weaker ones
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.hostile
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.hostile --isolation landlock
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.hostile --isolation plain

fuzz: $(BIN)/.tested sandbox ## grade a thousand broken submissions: none may crash the grader or cost a right answer its points
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.fuzz
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.fuzz --through course --cases 24

kills: $(BIN)/.tested sandbox ## kill grading 200 times: a resumed run must end like an undisturbed run
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.kills --times 200

notebooks: $(BIN)/.tested ## run all five notebooks with the reference on the sample, each training in full
	TRAIN_IN_FULL=1 $(BIN)/python -m pytest tests/test_source_notebooks.py -k from_top_to_bottom -v --durations=5

fast: $(BIN)/.installed ## compile the fast layers of the reference
	cd assignment2 && ../$(BIN)/python setup.py build_ext --inplace

bench: $(BIN)/.tested fast ## time the fast layers against PyTorch and the classic im2col
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0 || echo "PyTorch cannot be installed on this machine: its columns stay empty"
	$(BIN)/python -m benchmarks.fast_layers --markdown docs/performance.md

lint: $(BIN)/.tested ## check style, types and imports
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	PYTHONPATH=assignment2 $(BIN)/lint-imports --no-cache
	$(BIN)/pyright --pythonpath $(BIN)/python

release: $(BIN)/.installed ## build release/ from the reference solution
	@$(BIN)/autograder release

grade: $(BIN)/.installed sandbox ## grade the class in submitted/
	@$(BIN)/autograder grade

lab: $(BIN)/.installed ## open JupyterLab with formgrader, the reference on the path
	PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH="$(CURDIR)/assignment2" OPENBLAS_THREAD_TIMEOUT=16 $(BIN)/jupyter lab \
	$$([ "$$(id -u)" = 0 ] && echo --allow-root)

doctor: $(BIN)/.installed ## list missing programs and the command that installs each
	@$(BIN)/autograder doctor

datasets: ## download CIFAR-10
	bash get_datasets.sh

clean: ## remove generated files (never submissions, grades or data)
	rm -rf build .pytest_cache .hypothesis .ruff_cache *.egg-info

# bubblewrap is a system package. This target installs it if it is missing and this user may install packages.
# Otherwise it prints a warning.
sandbox:
	@command -v bwrap >/dev/null || sh .ci/packages bubblewrap || \
	echo "bubblewrap is not installed: student code will run in a weaker sandbox. Run: apt install bubblewrap"

$(BIN)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "This kit needs Python 3.11 or later. Run: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(BIN)/.tested: $(BIN)/.installed requirements-test.txt assignment2/requirements-tensorflow.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@
