# Shared by the builds of layers and functions. SAM runs make with ARTIFACTS_DIR set, perhaps in a copy of the
# source: every path therefore starts at the folder of these makefiles.

SHARED := $(dir $(realpath $(lastword $(MAKEFILE_LIST))))
ROOT := $(abspath $(SHARED)..)
HERE := $(dir $(realpath $(firstword $(MAKEFILE_LIST))))
UV := $(firstword $(wildcard $(ROOT)/.tools/bin/uv) $(shell command -v uv))
# Bytecode is valid for the functions' own version of Python only. The search runs in the root, whose .python-version
# version managers follow.
PYTHON = $(shell cd $(ROOT) && $(UV) python find 3.13)

# Unchecked: a function's file system does not change, so Python need not check the source again.
# $(1): the folder to compile; $(2): its path in Lambda, for tracebacks
define clean-and-compile
@find "$(1)" -name __pycache__ -prune -exec rm -rf {} +
"$(PYTHON)" -m compileall -q --invalidation-mode unchecked-hash -s "$(1)" -p $(2) "$(1)"
endef

define require-uv
@test -n "$(UV)" || { echo "uv is needed to build: run 'make setup', or install it" >&2; exit 1; }
endef
