PYTHON ?= python3
VENV ?= .venv
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)
VARIANT ?= sqlite-async-orm-timestamps
TEST ?= --only-variants
MINUTES ?= 30
MIXED = timestamps+soft_delete+audit_log+optimistic_locking+full_text_search
EXAMPLES ?= 300
PYTEST = $(VENV)/bin/python -m pytest
READY = $(VENV)/ready

.DEFAULT_GOAL := help
.PHONY: help demo programs test test-one matrix faults soak fuzz lint docs names picture constraints bench clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Render a service, run it, and show what it answers
	@$(VENV)/bin/python -m tests.harness.demo

test: $(READY) programs lint ## Run every check, each on the variants that tell it most, and the most telling ones on all
	@echo "Running the tests on every variant with $(WORKERS) workers"
	@$(PYTEST) -n $(WORKERS) --dist loadgroup

matrix: $(READY) programs ## Run every test on every variant that can tell something new
	@echo "Running the tests on every variant that can tell something new, with $(WORKERS) workers"
	@$(PYTEST) -n $(WORKERS) --dist loadgroup --matrix

test-one: $(READY) ## Run everything on one variant: make test-one VARIANT=mysql-sync-core-timestamps TEST=tests/contract
	@$(PYTEST) --variants "$(VARIANT)" --everything $(TEST)

faults: $(READY) programs ## Break the database and the service under load on every base variant, and write docs/reliability.md
	@$(VENV)/bin/python -m tests.harness.programs --cluster
	@$(PYTEST) -n $(WORKERS) --dist loadgroup --everything --only-variants tests/faults
	@$(PYTEST) -n $(WORKERS) --dist loadgroup --everything --only-variants --pgbouncer --variants "postgresql-*-$(MIXED)" tests/contract
	@$(PYTEST) -n $(WORKERS) --dist loadgroup --everything --only-variants --cluster=one --variants "postgresql-*-$(MIXED),mysql-*-$(MIXED)" tests/contract
	@$(PYTEST) -n $(WORKERS) --dist loadgroup --everything --only-variants --cluster=all --variants "mysql-*-$(MIXED)" tests/contract
	@$(VENV)/bin/python -m tests.faults.report

fuzz: $(READY) ## Send hostile input to every base variant and every text of the questions, and write its section of docs/reliability.md
	@$(PYTEST) -n $(WORKERS) --dist loadgroup --everything --examples $(EXAMPLES) tests/fuzz tests/questions/test_any_answers.py
	@$(VENV)/bin/python -m tests.fuzz.report

soak: VARIANT = *-async-orm-$(MIXED)
soak: $(READY) programs ## Send mixed traffic for long, and see that nothing grows: make soak MINUTES=30
	@MINUTES=$(MINUTES) $(PYTEST) --everything --only-variants --variants "$(VARIANT)" tests/faults/soak.py
	@$(VENV)/bin/python -m tests.faults.report soak

programs: $(READY) ## Install the programs that the tests need, where apt-get can, or say which they are
	@$(VENV)/bin/python -m tests.harness.programs

lint: $(READY) ## Check this repository's own code
	@echo "Checking this repository's own code"
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy

docs: $(READY) ## Build the documentation, strictly
	@$(VENV)/bin/mkdocs build --strict

names: $(READY) ## List anew in docs/frozen-names.md the names that no version takes away
	@$(VENV)/bin/python -m tests.updates.frozen_names

picture: $(READY) ## Make the pictures of README.md and docs/ anew
	@$(VENV)/bin/python -m tests.harness.terminal
	@$(VENV)/bin/python -m tests.harness.trace
	@$(VENV)/bin/python -m tests.harness.login

constraints: $(READY) ## Pin anew what the template's services and this repository depend on
	@$(VENV)/bin/python -m tests.harness.constraints

bench: $(READY) ## Measure speed and write docs/performance.md: make bench SECTIONS=requests
	@$(VENV)/bin/python -m benchmarks $(SECTIONS)

clean: ## Remove what the other commands made
	rm -rf $(VENV) .cache site

$(READY): constraints.txt
	@echo "Making $(VENV) with what constraints.txt pins"
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' constraints.txt)"
	@$(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python --requirement constraints.txt
	@touch $@
