"""The sizes of functions and layers against Lambda's limits, and against a budget of ours (sizes.toml)."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from tools.artefacts.build import Build
from tools.gates.gate import GateError

BUDGET = Path(__file__).with_name("sizes.toml")
GROWTH = 1.2
MIB = 1 << 20
UNZIPPED_LIMIT = 250 * MIB  # of Lambda: a function with all of its layers
ZIPPED_LIMIT = 50 * MIB  # of Lambda, for a zip file that is uploaded directly
LEAST_KIB = 64  # the budget of a function or layer that has none in the file


def check(build: Build, zipped: Mapping[str, Path], budget: Path = BUDGET) -> str:
    """Return the sizes. `zipped`: the zip files by logical id. Raises GateError where one is too large."""
    folders = {**build.functions(), **build.layers()}
    allowed = tomllib.loads(budget.read_text("utf-8"))[build.architecture]
    unzipped = {name: _size(path) for name, path in folders.items()}
    findings = []
    for name, size in unzipped.items():
        most = allowed.get(name, LEAST_KIB)
        if _kib(size) > most * GROWTH:
            findings.append(
                f"{name} has {_kib(size)} KiB, over a fifth more than its budget of {most} "
                f"({build.architecture}): find the cause, or raise the budget in {budget.name}"
            )
        if zipped[name].stat().st_size > ZIPPED_LIMIT:
            findings.append(f"{name}'s zip file is over Lambda's limit of {ZIPPED_LIMIT // MIB} MiB")
    layers = sum(unzipped[name] for name in build.layers())
    largest = layers + max(unzipped[name] for name in build.functions())
    if largest > UNZIPPED_LIMIT:
        findings.append(
            f"a function with its layers has {largest / MIB:.0f} MiB; Lambda takes {UNZIPPED_LIMIT // MIB}"
        )
    if findings:
        raise GateError("\n".join(findings))
    layers_zipped = sum(zipped[name].stat().st_size for name in build.layers())
    return (
        f"{build.architecture}: {largest / MIB:.0f} of {UNZIPPED_LIMIT // MIB} MiB unzipped with all layers; "
        f"layers zipped {layers_zipped / MIB:.0f} MiB"
    )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _kib(size: int) -> int:
    return -(-size // 1024)
