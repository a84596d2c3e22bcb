# Each target makes its own environment: .venv, by uv where it is, else by pip.
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/ready
# The tests start Python some hundred times: what it compiled is kept, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=
CODED := plan_definitions smart_app tests
PATIENTS := smart_app/fake_ehr/patients
# Examples of others, kept as they came.
THIRD_PARTY := synthea-*.json mcode-*.json mcode-*/*.json

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint layers types codes protocols valid stale styles-fresh locked traced r4-fresh fix knowledge traceability styles lock sbom docs benchmark load faults FORCE

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(READY) ## the simulated EHR, the app and sample patients, in your browser
	$(PY) -m smart_app.demo

test: $(READY) ## run the tests; those that need Java or a browser are skipped without them
	$(PY) -m pytest --numprocesses 4 --no-loadscope-reorder

check: format lint layers types codes protocols valid stale styles-fresh locked traced r4-fresh ## everything that must hold before a commit

format: $(READY) ## is the code formatted?
	$(PY) -m ruff format --check -q .

lint: $(READY) ## does it keep the rules of style?
	$(PY) -m ruff check -q .

layers: $(READY) ## do imports point one way?
	$(VENV)/bin/lint-imports

types: $(READY) ## are the types right?
	$(PY) -m mypy
	$(PY) -m mypy --strict -p tools -p benchmarks

codes: $(READY) ## was each medical code seen in a public source?
	$(PY) -m tools.terminology.check_codes $(wildcard $(CODED)) $(THIRD_PARTY:%=--third-party '%')

protocols: $(READY) ## does each protocol keep the rules of authoring?
	$(PY) -m ivfhir.knowledge.lint

valid: $(READY) ## is all FHIR that we author what R4 says?
	$(PY) -m tools.valid plan_definitions $(filter-out $(wildcard $(PATIENTS)/synthea-*.json),$(wildcard $(PATIENTS)/*.json))

stale: $(READY) ## are ELM, libraries and value sets what their sources give?
	$(PY) -m tools.knowledge check

styles-fresh: $(READY) ## does the trimmed stylesheet hold what the pages use?
	$(PY) -m tools.styles check

locked: $(READY) ## is the lock of a deployment what pyproject.toml asks?
	$(PY) -m tools.supply check

traced: $(READY) ## does each statement of the seeds lead to an element, and is the page of it fresh?
	$(PY) -m tools.traceability check

r4-fresh: $(READY) ## is the table of R4's types what its tool wrote?
	$(PY) -m tools.r4 check

fix: $(READY) ## format, and mend what the linter can mend
	$(PY) -m ruff check -q --fix .
	$(PY) -m ruff format -q .

knowledge: $(READY) ## translate the CQL, build libraries and value sets (needs Java and Maven)
	$(PY) -m tools.knowledge build

traceability: $(READY) ## write docs/traceability.md: from each statement of the seeds to what realises it
	$(PY) -m tools.traceability build

styles: $(READY) ## trim the design system's stylesheet to what the pages use
	$(PY) -m tools.styles build

lock: $(READY) ## lock what a deployment installs, with hashes (upgrade: python -m tools.supply upgrade)
	$(PY) -m tools.supply lock

sbom: $(READY) ## write build/ivfhir.cdx.json, the CycloneDX bill of materials
	$(PY) -m tools.supply sbom

docs: $(READY) ## take the pictures, and build the guide into build/docs, warnings as errors
	$(PY) -m tools.screenshots
	$(PY) -m tools.traceability build
	$(PY) -m sphinx -q -n -W docs build/docs

benchmark: $(READY) ## our evaluator beside the Java engine (needs Java and Maven)
	$(PY) -m benchmarks.evaluate

load: $(READY) ## 200 clinicians on two workers: what a page costs beyond its reads (25 minutes)
	$(PY) -m benchmarks.load

faults: $(READY) ## kill sync, app and worker 1,000 times each, race 16 writers 200 times, sync 10,000 times through faults (hours; goes on where it was)
	mkdir -p build/faults/writers
	$(PY) -m tests.ivfhir.sync.through_faults --syncs 10000 --state build/faults/through.json
	$(PY) -m tests.ivfhir.sync.kills --kills 1000 --state build/faults/sync.json
	$(PY) -m tests.ivfhir.sync.writers --writers 16 --rounds 200 --state build/faults/writers
	$(PY) -m tests.smart_app.kills --kills 1000 --state build/faults/app.json
	$(PY) -m tests.smart_app.kills --kills 200 --seed 2 --postgres --state build/faults/postgres.json

# Made again only when pyproject.toml changes its content, whatever its date.
$(READY): FORCE
	@sh tools/make-environment.sh $(VENV)

FORCE:
