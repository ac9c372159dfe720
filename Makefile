# Every target with a `##` is listed by `make`. What a target needs is set up first, and quickly
# where nothing has changed. Tests run two at once, those of one group (tests/early.py) in one process.

PYTHON ?= python3
PY := .venv/bin/python
TWO := -n 2 --dist loadgroup
N ?= 20
REPEATED_browser := -m browser $(TWO)
REPEATED_redis := -m faults tests/faults/redis
REPEATED_faults := -m faults $(TWO)
export PORT
# What is compiled is kept: a site is six processes, and the tests start many.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test lint types migrations unit sqlite postgres browser faults repeat compose-test \
	bench calibrate screenshot secrets constraints clean ready dev

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ready  ## start the site here (PORT=8000) and print its address; Ctrl-C stops it
	@exec $(PY) tools/serve.py

ready:  ## set up the site, and start nothing
	@$(PYTHON) tools/setup.py

dev:  ## the same with what the tests need: pytest, Chromium, PostgreSQL
	@$(PYTHON) tools/setup.py --dev

test: lint types migrations sqlite postgres browser compose-test  ## all checks and all tests

lint: dev  ## ruff on the code, djlint on the templates
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/djlint --lint --quiet templates labs courses

types: dev  ## mypy, strict
	.venv/bin/mypy .

migrations: dev  ## is every change of a model in a migration?
	$(PY) manage.py makemigrations --check --dry-run

unit: dev  ## the fast tests, on SQLite
	$(PY) -m pytest $(TWO)

sqlite: dev  ## these, calibration and long sweeps, and the faults at a size that CI can bear
	$(PY) -m pytest $(TWO) -m 'not browser and not compose and not gpu'

postgres: dev  ## those that touch the database, on a throwaway PostgreSQL
	CONVOLAB_TEST_DATABASE=postgres $(PY) -m pytest $(TWO)

browser: dev  ## end to end in Chromium, on two sites
	$(PY) -m pytest $(TWO) -m browser

faults: dev  ## the faults at full size, and every property with all its examples (long)
	CONVOLAB_FULL=1 $(PY) -m pytest -m '(faults or hypothesis) and not browser'
	CONVOLAB_FULL=1 $(PY) -m pytest -m browser tests/faults

repeat: dev  ## N=20 T=browser, redis or faults: so many runs, up to the first red one
	$(if $(REPEATED_$(T)),,$(error say what: T=browser, T=redis or T=faults))
	@for n in $$(seq $(N)); do \
		echo "run $$n of $(N)"; \
		$(PY) -m pytest -x $(REPEATED_$(T)) || { echo "run $$n of $(N) was red"; exit 1; }; \
	done

compose-test: dev  ## bring docker-compose.yml up for real and follow a run through the proxy
	$(PY) -m pytest -s -m compose

bench:  ## the benchmarks, in a virtual environment of their own, into docs/benchmarks.md
	bench/run

calibrate: ready  ## measure each lab's claims over 20 seeds and store the figures
	$(PY) manage.py calibrate

screenshot: dev  ## take the README's picture anew
	$(PY) tools/screenshot.py

secrets:  ## make the secrets that docker-compose.yml asks for
	$(PYTHON) tools/make_secrets.py

constraints: dev  ## write constraints.txt anew, from what is installed here
	.venv/bin/pip freeze --exclude-editable | sed 's/+cpu$$//; /^nvidia-/d; /^triton==/d' > constraints.txt

clean:  ## remove what was installed and built; var/ (runs, models, datasets) stays
	rm -rf .venv node_modules static/vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis
