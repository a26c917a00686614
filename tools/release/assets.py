"""The files of a release, the same bytes in each build of a commit.

For each architecture a zip file that `sam deploy` takes as it is once unpacked: the template, and functions
and layers as zip files; the wheels of the command and of the receivers' package; a bill of materials for the
layer and one for the command; SHA256SUMS.
"""

import hashlib
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.artefacts.archive import pack
from tools.artefacts.build import ARCHITECTURES, Build, build
from tools.gates.gate import ROOT, broken, program, run

NAME = "webhooks-service"
CODE = re.compile(r"^(\s+(?:CodeUri|ContentUri): )(\w+)$", re.MULTILINE)
ARCHITECTURE = re.compile(
    r"^(  Architecture:\n    Type: String\n)"
    r"    Default: \w+\n    AllowedValues:\n    - arm64\n    - x86_64\n",
    re.MULTILINE,
)
BILLS = {"layer": "layers/dependencies/requirements.txt", "command": "requirements/command.txt"}
SUMS = "SHA256SUMS"


def make(folder: Path, version: str, *, tag: str = "") -> dict[str, Build]:
    """Build all files of the release into folder/assets; returns the builds by architecture.

    `tag`: the tag that the commit is going to have. Raises LocalError or GateError.
    """
    assets = folder / "assets"
    assets.mkdir(parents=True)
    environment = {"WEBHOOKS_RELEASE": tag} if tag else {}
    with ThreadPoolExecutor() as pool:
        builds = dict(
            zip(
                ARCHITECTURES,
                pool.map(lambda each: build(folder / each, each, environment), ARCHITECTURES),
                strict=True,
            )
        )
        for each in builds.values():
            pack_code(each, pool)
    for architecture, each in builds.items():
        _bundle(each, assets / f"{NAME}-{version}-{architecture}.zip")
    wheels(assets)
    for name, lock in BILLS.items():
        _bill(ROOT / lock, assets / f"{NAME}-{version}-{name}.cdx.json")
    sums = "".join(f"{digest}  {name}\n" for name, digest in digests(assets).items())
    (assets / SUMS).write_text(sums, "utf-8")
    return builds


def zipped(built: Build) -> dict[str, Path]:
    """Return the zip files of functions and layers by logical id."""
    places = {"functions": built.functions(), "layers": built.layers()}
    return {name: _bundled(built) / kind / f"{name}.zip" for kind, names in places.items() for name in names}


def pack_code(built: Build, pool: ThreadPoolExecutor) -> None:
    """Write the zip files of functions and layers."""
    folders = {**built.functions(), **built.layers()}
    targets = zipped(built)
    list(pool.map(lambda name: pack(folders[name], targets[name]), folders))


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file by its name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != SUMS
    }


def deployable(template: str, architecture: str) -> str:
    """Return a built template that names zip files, and takes the architecture that they are for alone."""

    def place(found: re.Match[str]) -> str:
        kind = "layers" if found[2].endswith("Layer") else "functions"
        return f"{found[1]}{kind}/{found[2]}.zip"

    own, changes = ARCHITECTURE.subn(
        rf"\g<1>    Default: {architecture}\n    AllowedValues:\n    - {architecture}\n", template
    )
    if changes != 1:
        raise ValueError("the built template has no parameter Architecture of the known form")
    return CODE.sub(place, own)


def wheels(folder: Path) -> None:
    """Build the wheels of the command and of the receivers' package. Raises GateError."""
    uv = ROOT / ".tools" / "bin" / "uv"
    for package in ("cli", "verify"):
        ended = run(
            *(uv, "build", "--quiet", "--wheel", "--out-dir", folder, "--no-create-gitignore"),
            *("--build-constraints", ROOT / "requirements" / "build.txt", "--require-hashes", ROOT / package),
            environment={"SOURCE_DATE_EPOCH": "315532800"},  # the first day that a zip file can name
        )
        if ended.returncode:
            raise broken(f"uv build {package}", ended)


def _bundle(built: Build, target: Path) -> None:
    folder = _bundled(built)
    template = deployable(built.template.read_text("utf-8"), built.architecture)
    (folder / "template.yaml").write_text(template, "utf-8")
    for name in ("samconfig.toml", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "samconfig.toml").chmod(0o644)
    pack(folder, target, stored=True)


def _bundled(built: Build) -> Path:
    return built.folder.parent / "bundle"


def _bill(lock: Path, target: Path) -> None:
    """Write a bill of materials of the packages that a lock names."""
    ended = run(
        *(program(".venv-gates", "cyclonedx-py"), "requirements", lock, "--output-reproducible"),
        *("--output-format", "JSON", "--output-file", target),
    )
    if ended.returncode:
        raise broken("cyclonedx-py", ended)


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """Return the names of files that are not the same in both."""
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
