# make demo    fresh machine -> a learned policy plays a real game; video and report in runs/demo
# make test    fresh machine -> all tests
# make check   format, lint, types

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
APT_PACKAGES := build-essential starfighter supertux xvfb libxtst6 blobwars flare-game mrboom chromium-bsu neverball neverputt chocolate-doom freedoom extremetuxracer armagetronad lua5.3 lua-http lua-messagepack libsdl1.2debian vor libsdl1.2-compat libsfml-dev mesa-vulkan-drivers vulkan-tools libegl1 libsdl2-dev

.PHONY: demo test check setup system clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt hatch_build.py $(wildcard agent/*.h agent/*/*.c agent/*/*.h agent/Makefile)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "nitrogen needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if command -v cc >/dev/null && command -v make >/dev/null; then unset NITROGEN_NO_AGENT; \
	else echo "no C compiler: installing without the agent (Debian: apt-get install build-essential)"; \
	export NITROGEN_NO_AGENT=1; fi; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# Debian packages that the tests of real games need; installed when root, named otherwise.
system:
	@./scripts/system-packages $(APT_PACKAGES)

demo: setup
	$(BIN)/nitrogen demo --out runs/demo

test: system setup
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) runs build dist agent/build src/nitrogen/simulator/lib
