# The commands for working on gen-workflow; `make` alone lists them.

PYTHON := .venv/bin/python
# Tests wait for real parts a good part of the time, so more run side by side than there are
# processors, each with parts of its own. The files keep their order: see tests/conftest.py.
SIDE_BY_SIDE := -n 6 --dist loadfile --no-loadscope-reorder
# The tests are compiled in the first run, and not in each worker of each run.
export PYTHONDONTWRITEBYTECODE :=
SLOWEST := $(if $(CI),--durations=40)
# Further arguments for pytest, as in `make test ARGS='-k rollback -x'`.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help test test-all lint types docs docs-check bench kill-matrix demo bed bed-down lock pin clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

test: ## what CI runs: sets this machine up, runs every tier, says what ran and why the rest did not
	@python3 tests/bed/setup.py
	@$(PYTHON) -m pytest $(SIDE_BY_SIDE) $(SLOWEST) $(ARGS)

test-all: ## more cases of the same as well, every point of the kill matrix too: takes hours
	@python3 tests/bed/setup.py
	@python3 tests/bed/setup.py kubebed-1.33
	@$(PYTHON) -m pytest --test-all $(SIDE_BY_SIDE) $(SLOWEST) $(ARGS)

lint: ## check the style of the code, the workflows, the actions and the shell scripts
	@python3 tests/bed/setup.py python packages
	@$(PYTHON) -m pytest -q $(addprefix tests/conformance/test_,code_quality.py zizmor.py shell.py)

types: ## check the types with mypy --strict
	@python3 tests/bed/setup.py python
	@$(PYTHON) -m mypy

docs: ## generate the tables in the docs (from action.yml and the spec) and the JSON Schema of the spec
	@python3 tests/bed/setup.py python
	@$(PYTHON) docs/tables.py

docs-check: ## fail when `make docs` would change something
	@python3 tests/bed/setup.py python
	@$(PYTHON) docs/tables.py --check

bench: ## run every benchmark and compare it with its budget
	@python3 tests/bed/setup.py
	@code=0; for each in startup check_speed root_action generate_speed generate fleet build_push ssh_deploy kubectl_set_image; do \
	  echo "== $$each"; $(PYTHON) bench/$$each.py || code=1; done; exit $$code

kill-matrix: ## interrupt every phase of every form of ssh-deploy in every way; takes an hour or more
	@python3 tests/bed/setup.py
	@$(PYTHON) -m pytest --test-all -rP tests/e2e/test_ssh_deploy_kills.py $(ARGS)

demo: ## run both paths from push to deploy on real components, and show their output
	@python3 tests/bed/setup.py
	@$(PYTHON) -m pytest -s tests/e2e/test_the_path*.py $(ARGS)

bed: ## start the real components and leave them running, for a look around
	@python3 tests/bed/setup.py
	@cd tests && ../$(PYTHON) -m bed up $(ARGS)

bed-down: ## stop what `make bed` started
	@cd tests && ../$(PYTHON) -m bed down

lock: ## resolve the locked packages again, with hashes, for every supported Python
	@for out in 'requirements.txt' 'requirements-dev.txt --group dev'; do set -- $$out; \
	  out=$$1; shift; uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
	    --custom-compile-command 'make lock' pyproject.toml "$$@" --output-file $$out || exit; done

pin: ## pin our own actions in rendered workflows to the commit that is checked out
	@sed -i -E "/gen-workflow\/gen-workflow/s/[0-9a-f]{40}/$$(git rev-parse HEAD)/" generator/gen_workflow/pins/pins.json
	@UPDATE_GOLDEN=1 $(PYTHON) -m pytest -q tests/cases
	@$(PYTHON) docs/tables.py

clean: ## remove what was built in the checkout; the cache outside of it stays
	rm -rf build dist .venv .mypy_cache .ruff_cache .pytest_cache
