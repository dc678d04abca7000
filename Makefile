# Everything a person does with this project, by name. `make serve` and `make test` need only Python >= 3.11.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: serve setup lint unit test fuzz loop bench bench-guard bench-oracle bench-training bench-adapters

serve: setup
	@$(BIN)/wardgate serve $(ARGS)

setup:
	@$(PYTHON) tools/setup.py

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

unit: setup
	$(BIN)/pytest -q -m "not vllm and not slow" $(ARGS)

test: setup
	$(BIN)/coverage erase
	$(BIN)/pytest -q --cov --cov-report=term $(ARGS)

fuzz: setup
	@$(BIN)/python tests/fuzz/run.py $(ARGS)

loop: setup
	@$(BIN)/python -m training.loop $(ARGS)

bench: setup
	$(BIN)/python bench/run.py $(ARGS)

bench-guard: setup
	$(BIN)/python bench/guard.py $(ARGS)

bench-oracle: setup
	@$(BIN)/python bench/oracle.py $(ARGS)

bench-training: setup
	$(BIN)/python bench/training.py $(ARGS)

bench-adapters: setup
	$(BIN)/python bench/adapters.py $(ARGS)
