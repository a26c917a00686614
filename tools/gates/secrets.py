"""Secrets in tracked files: detect-secrets, beside values that open nothing (known_secrets.toml).

`python -m tools.gates.secrets` lists the findings with the hash that a known value is entered by.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.gates.gate import ROOT, GateError, broken, program, run, tracked

KNOWN = Path(__file__).with_name("known_secrets.toml")
# Pictures; hashes of packages; the hashes of known values; pages built from web/, which is scanned itself.
LEFT_OUT = re.compile(
    r".*\.(png|svg)|requirements/.*\.txt|layers/dependencies/requirements\.txt|web/package-lock\.json"
    r"|tools/gates/known_secrets\.toml|functions/console/.*\.html"
)
# A name such as `secret` beside a text: tests make up hundreds, and a real key has another sign of its own.
BY_NAME, MADE_UP = "Secret Keyword", ("tests/", "benchmarks/")
# The name of an action of IAM, or of a function beside a widget's label.
NO_SECRET = re.compile(r"secretsmanager:[A-Z]|\{\"label\": ")
REASON_WORDS = 4


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A text that looks like a secret. `digest`: its SHA-1, never the text itself."""

    path: str
    line: int
    kind: str
    digest: str


def check(folder: Path = ROOT, known: Path = KNOWN) -> str:
    """Return how many files were scanned. Raises GateError with each secret that is not known."""
    values = known_values(known)
    paths = [path for path in tracked(folder) if not LEFT_OUT.fullmatch(path)]
    found = sorted(findings(folder, paths))
    fresh = [each for each in found if each.digest not in values]
    if fresh:
        listed = [f"{each.path}:{each.line}: {each.kind} ({each.digest})" for each in fresh]
        raise GateError(
            "\n".join([*listed, f"a value that opens nothing is entered in {known.name} with its reason"])
        )
    return f"{len(paths)} files; {len(values)} known values, each with its reason"


def known_values(known: Path = KNOWN) -> dict[str, str]:
    """Return the reason by value. Raises GateError where a reason is missing."""
    values: dict[str, str] = {}
    for group in tomllib.loads(known.read_text("utf-8"))["known"]:
        if len(group.get("reason", "").split()) < REASON_WORDS:
            raise GateError(f"{known.name} has values without a reason: {group['values']}")
        values.update(dict.fromkeys(group["values"], group["reason"]))
    return values


def findings(folder: Path, paths: list[str]) -> Iterator[Finding]:
    """Yield all texts that look like secrets, known or not; none is sent away. Raises GateError."""
    ended = run(
        *(program(".venv-gates", "detect-secrets"), "scan", "--no-verify"),
        # A comment in the line must not hide it.
        *("--disable-filter", "detect_secrets.filters.allowlist.is_line_allowlisted"),
        *paths,
        folder=folder,
    )
    try:
        results = json.loads(ended.stdout)["results"]
    except (ValueError, KeyError):
        raise broken("detect-secrets", ended) from None
    for path, each in results.items():
        lines = (folder / path).read_text("utf-8").splitlines()
        for found in each:
            by_name = found["type"] == BY_NAME
            if not (
                by_name and (path.startswith(MADE_UP) or NO_SECRET.search(lines[found["line_number"] - 1]))
            ):
                yield Finding(path, found["line_number"], found["type"], found["hashed_secret"])


def main() -> int:
    """List the findings that are not known. Returns the exit status."""
    values = known_values()
    paths = [path for path in tracked() if not LEFT_OUT.fullmatch(path)]
    for each in sorted(findings(ROOT, paths)):
        if each.digest not in values:
            text = (ROOT / each.path).read_text("utf-8").splitlines()[each.line - 1].strip()
            print(each.digest, f"{each.path}:{each.line}", each.kind, text[:100], sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main())
