# A developer's commands. They need git, make and Python 3.9 or newer; everything else is installed into this
# folder, by the hashes in requirements/.

UV := .tools/bin/uv
PY := .venv/bin/python
# An environment's mark is newer than the files that it was installed from.
ENVIRONMENTS := .venv/.installed .venv-sam/.installed .venv-emulator/.installed
# Only some commands and tests need these: the gates and releases, and the documentation's site.
GATES := .venv-gates/.installed .venv-checkov/.installed
SITE := .venv-docs/.installed
LEVELS := $(filter-out tests/e2e/,$(wildcard tests/*/))
WORKERS ?= 2

export UV_NO_PROGRESS := 1
export NO_MKDOCS_2_WARNING := 1
# Variables of the user's shell that would mislead the tools.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help setup run stop status reset deploy test check fix pages docs languages browser screenshots unit e2e gates audit \
	bench soak profiles recording release artefacts aws-accept aws-accept-clean lock clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

setup: $(ENVIRONMENTS) ## install everything but the tools of gates and benchmarks (run and test do this first)

run: setup ## start the local stack, deploy the sources, show deliveries; repeat it after a change (PORT=4580)
	@$(PY) -m local run $(if $(PORT),--port $(PORT))

stop: ## stop the local stack; registered webhooks are kept
	@if [ -x $(PY) ]; then $(PY) -m local stop; else echo "nothing is installed, so nothing runs"; fi

status: ## show whether the local stack runs, and how to use it
	@if [ -x $(PY) ]; then $(PY) -m local status; else echo "nothing is installed, so nothing runs"; fi

reset: ## stop the local stack and delete its files
	@if [ -x $(PY) ]; then $(PY) -m local reset; else echo "nothing is installed, so nothing runs"; fi

deploy: setup ## deploy to AWS as samconfig.toml says; asks eight questions the first time (ENV=prod, ASK=1: again)
	@$(PY) -m tools.deployment $(or $(ENV),prod) $(if $(ASK),--ask)

test: setup check gates unit e2e ## check, gates, then every test level; e2e starts a stack of its own
	@$(PY) -m tools.release --tested

check: setup ## check format, lint, types and template
	@echo "== format"; .venv/bin/ruff format --check --quiet . || { echo "run: make fix" >&2; exit 1; }
	@echo "== lint"; .venv/bin/ruff check --quiet .
	@echo "== types"; .venv/bin/mypy --no-error-summary
	@.venv/bin/mypy --no-error-summary --config-file cli/pyproject.toml cli layers/signing/python verify
	@echo "== pages"; $(PY) -m tools.pages --check
	@echo "== template"; SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 .venv-sam/bin/sam validate --lint \
		--config-env default
	@.venv-sam/bin/cfn-lint deploy/*.yaml

gates: setup $(GATES) ## check the built artefacts, the template's security, secrets, vulnerabilities, workflows (docs/gates.md)
	@echo "== gates"; $(PY) -m tools.gates

audit: setup $(GATES) ## check the locks for known vulnerabilities; fail where that cannot be checked
	@$(PY) -m tools.gates --strict dependencies

fix: setup ## format, and let the linters repair
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
	$(PY) -m tools.pages --fix

pages: setup ## build the console and the reference page: web/ into functions/console/
	@$(PY) -m tools.pages

docs: setup $(SITE) ## build the documentation as a site, into .local/site; SERVE=1 shows it at http://127.0.0.1:8000
	@.venv-docs/bin/mkdocs $(if $(SERVE),serve --no-strict,build --quiet --strict)
	@$(if $(SERVE),,echo "open .local/site/index.html")

languages: setup ## find Go, Java and PHP for the tests of the receivers' samples; install them where they are missing
	@$(PY) -m tools.site.languages

browser: setup ## find Chromium for the tests of the pages; install it where it is missing
	@$(PY) -m tools.pages.chromium

screenshots: setup browser ## take the pictures of the console anew: of the tests, and those of README
	@UPDATE_SCREENSHOTS=1 $(PY) -m pytest -q tests/browser/test_screenshots.py

unit: setup browser languages $(GATES) $(SITE) ## run the tests that need no stack
	@echo "== tests: $(patsubst tests/%/,%,$(LEVELS))"; $(PY) -m pytest -q -n $(WORKERS) $(LEVELS)

e2e: setup browser ## run the tests against a local stack of their own
	@echo "== tests: end to end"; $(PY) -m pytest -q tests/e2e

bench: setup ## measure everything and write docs/benchmarks.md (ONLY=4,10: these figures; HELP=1: their list)
	@$(PY) -m benchmarks $(if $(HELP),--help) $(if $(ONLY),--only '$(ONLY)')

soak: setup ## run the local stack at a steady load and check that nothing grows (MINUTES=30)
	@$(PY) -m benchmarks.soak $(if $(MINUTES),--minutes $(MINUTES))

profiles: setup .venv-bench/.installed ## draw the CPU profiles of dispatcher, fan-out and API
	@$(PY) -m benchmarks.profiles after

recording: setup ## run the local stack and record its output as docs/make-run.svg (PORT=4580)
	@$(PY) -m local.recording $(if $(PORT),--port $(PORT))

aws-accept: setup ## deploy to your AWS account, test there, print report and bill, delete everything (STACK=x)
	@$(PY) -m acceptance run --stack '$(STACK)' --confirm '$(CONFIRM)' $(if $(KEEP),--keep) $(TESTS)

aws-accept-clean: setup ## delete what an acceptance run has left in your account (STACK=x)
	@$(PY) -m acceptance clean --stack '$(STACK)' --confirm '$(CONFIRM)'

lock: $(UV) ## resolve all dependencies anew, to their newest versions
	$(UV) pip compile $(LOCK) --extra cli --group dev pyproject.toml -o requirements/dev.txt
	$(UV) pip compile $(LOCK) pyproject.toml -c requirements/dev.txt -o layers/dependencies/requirements.txt
	$(UV) pip compile $(LOCK) --group sam -o requirements/sam.txt
	$(UV) pip compile $(LOCK) --group emulator -o requirements/emulator.txt
	$(UV) pip compile $(LOCK) --group checkov -o requirements/checkov.txt
	$(UV) pip compile $(LOCK) --group gates -o requirements/gates.txt
	$(UV) pip compile $(LOCK) --group bench -o requirements/bench.txt
	$(UV) pip compile $(LOCK) --group docs -o requirements/docs.txt
	$(UV) pip compile $(LOCK) --python-version 3.10 cli/pyproject.toml -o requirements/command.txt
	echo hatchling | $(UV) pip compile $(LOCK) - -o requirements/build.txt
	echo uv | $(UV) pip compile $(LOCK) --python-version 3.9 - -o requirements/uv.txt
LOCK := --quiet --upgrade --universal --generate-hashes --no-header

release: setup $(GATES) ## check, build and tag a release; the changelog has its notes (VERSION=1.2.3)
	@$(PY) -m tools.release $(VERSION)

artefacts: setup $(GATES) ## build the files of a release into dist/artefacts (VERSION=1.2.3)
	@$(PY) -m tools.release $(VERSION) --build dist/artefacts

clean: stop ## delete everything that was installed or built, and the local stack
	rm -rf web/node_modules .venv .venv-sam .venv-emulator .venv-docs .venv-gates .venv-checkov .venv-bench .tools \
		.local .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

# uv runs on any Python, and then finds Python 3.13 or fetches it. The loop runs in the root folder, where no
# .python-version makes a version manager insist on 3.13.
$(UV): requirements/uv.txt
	@echo "== install uv"
	@for python in python3 python3.13 python3.14 python3.12 python3.11 python3.10 python3.9 python; do \
		if (cd / && $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))') 2>/dev/null; then \
			found=$$(cd / && $$python -c 'import sys; print(sys.executable)'); break; fi; done; \
	[ -n "$$found" ] || { echo "Python 3.9 or newer with venv is needed (on Debian: apt install python3-venv)" >&2; exit 1; }; \
	rm -rf .tools && "$$found" -m venv .tools && .tools/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r requirements/uv.txt && touch $(UV)

.venv/.installed: requirements/dev.txt requirements/build.txt pyproject.toml cli/webhooks_cli/__init__.py .python-version | $(UV)
	@echo "== install .venv for the project and its tests"
	@$(UV) venv --quiet --allow-existing .venv
	@$(UV) pip sync --quiet --python .venv --require-hashes requirements/dev.txt
	@$(UV) pip install --quiet --python .venv --no-deps --build-constraints requirements/build.txt -e .
	@touch $@

.venv-%/.installed: requirements/%.txt .python-version | $(UV)
	@echo "== install .venv-$*"
	@$(UV) venv --quiet --allow-existing .venv-$*
	@$(UV) pip sync --quiet --python .venv-$* --require-hashes requirements/$*.txt
	@touch $@
