"""`python -m tools.gates` checks every gate, or those that are named; docs/gates.md describes each.

usage: python -m tools.gates [--strict] [artefacts] [template] [secrets] [dependencies] [workflows]

--strict: vulnerabilities must be checked, where otherwise a service out of reach is only reported.
"""

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from local.errors import LocalError
from tools.gates import artefacts, dependencies, secrets, template, workflows
from tools.gates.gate import GateError

# The longest first: two run at once.
GATES: dict[str, Callable[[], str]] = {
    "artefacts": artefacts.check,
    "template": template.check,
    "secrets": secrets.check,
    "dependencies": dependencies.check,
    "workflows": workflows.check,
}
AT_ONCE = 2


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.gates", description="Check the gates.")
    parser.add_argument("gates", nargs="*", metavar="gate", help=f"one of {', '.join(GATES)}; all by default")
    parser.add_argument("--strict", action="store_true", help="vulnerabilities must be checked")
    arguments = parser.parse_args()
    if unknown := set(arguments.gates) - GATES.keys():
        parser.error(f"there is no gate {', '.join(sorted(unknown))}: {', '.join(GATES)}")
    if arguments.strict:
        GATES["dependencies"] = lambda: dependencies.check(strict=True)
    chosen = [name for name in GATES if name in arguments.gates or not arguments.gates]
    failed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in as_completed([pool.submit(_timed, name) for name in chosen]):
            holds, text = done.result()
            print(text, flush=True)
            failed += not holds
    if failed:
        print(f"{failed} of {len(chosen)} gates do not hold", file=sys.stderr)
    return 1 if failed else 0


def _timed(name: str) -> tuple[bool, str]:
    began = time.monotonic()
    try:
        holds, text = True, GATES[name]()
    except (GateError, LocalError) as error:
        holds, text = False, str(error)
    first, *others = text.splitlines()
    head = f"{'holds ' if holds else 'FAILS '} {name} ({time.monotonic() - began:.0f} s): {first}"
    return holds, "\n".join([head, *(f"        {line}" for line in others)])


if __name__ == "__main__":
    sys.exit(main())
