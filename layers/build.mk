# What the builds of layers and functions share. SAM runs make with ARTIFACTS_DIR set, perhaps in a copy of the
# source: every path is therefore taken from where the makefiles themselves stand.

SHARED := $(dir $(realpath $(lastword $(MAKEFILE_LIST))))
ROOT := $(abspath $(SHARED)..)
HERE := $(dir $(realpath $(firstword $(MAKEFILE_LIST))))
UV := $(firstword $(wildcard $(ROOT)/.tools/bin/uv) $(shell command -v uv))
# Bytecode is of use to the functions' own version of Python only. Looked for from the root, whose .python-version
# version managers go by.
PYTHON = $(shell cd $(ROOT) && $(UV) python find 3.13)

# Unchecked: a function's file system does not change, so Python need not look at the source again.
# $(1): the folder to compile; $(2): where Lambda puts it, for tracebacks
define clean-and-compile
@find "$(1)" -name __pycache__ -prune -exec rm -rf {} +
"$(PYTHON)" -m compileall -q --invalidation-mode unchecked-hash -s "$(1)" -p $(2) "$(1)"
endef

define require-uv
@test -n "$(UV)" || { echo "uv is needed to build: run 'make setup', or install it" >&2; exit 1; }
endef
