# `make check` is what a developer runs before a commit; `.ci/run` runs the same in a clean environment.
PYTHON ?= python3

.PHONY: check format lint types layers architecture test texts full dictionary matrix oldest bench torture answers pictures
.PHONY: bench-report wheel

check: lint types layers architecture test

format:
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy

layers:
	lint-imports

# Sizes are a report; circles, long parameter lists and names that say too little are beyond their limits.
architecture:
	$(PYTHON) -m tests.architecture

test:
	$(PYTHON) -m pytest -n auto --dist loadfile

# Texts that are new in code, templates and scripts, into the catalogues of languages; docs/languages.md.
texts:
	$(PYTHON) -m tests.languages

# The statistical and generated suites at their full size.
full:
	RDSIM_FULL=1 $(PYTHON) -m pytest -n auto --dist loadfile

# The data dictionary, into docs/data.md.
dictionary:
	$(PYTHON) -m tests.documents.dictionary

# The golden digests on every supported Python that is at hand, with the oldest libraries that pyproject.toml allows and with
# the newest; environments are kept in .matrix.
matrix:
	$(PYTHON) -m tests.golden.matrix

# The oldest libraries alone, in plain Python: what `.ci/run` looks at beside its own environment.
oldest:
	$(PYTHON) -m tests.golden.matrix --first

# Wheel and source distribution, built and tried outside the repository: what somebody gets who has no clone.
wheel:
	$(PYTHON) -m tests.package

# A million random inputs through the doors, in one process, and a thousand kills of runs; FUZZ=1000 KILLS=50 for a look.
FUZZ ?= 100000
KILLS ?= 1000
torture:
	$(PYTHON) -m tests.fuzz --count $(FUZZ)
	$(PYTHON) -m tests.torture.kills --count $(KILLS)

# Every shipped experiment on another seed: does what its README calls sure still stand?
SEED ?= 2
answers:
	$(PYTHON) -m benchmarks.answers --seed $(SEED)

# The pictures that README.md and others show, taken by a browser of the runs in results/; what is not there is planned.
pictures:
	$(PYTHON) -m tests.browser.pictures

# The figures of docs/bench-report.md: a benchmark of korea-2024 with the two portfolios made by hand; BENCH= for options of yours.
HANDMADE = scenarios/korea-2024/portfolios
BENCH ?= --solver all --copies 2
bench-report:
	rdsim bench scenarios/korea-2024 --portfolio $(HANDMADE)/expert.csv --portfolio $(HANDMADE)/domestic-by-score.csv $(BENCH) \
		--out results/bench-report --force
	$(PYTHON) -m benchmarks.report

bench:
	$(PYTHON) -m benchmarks
