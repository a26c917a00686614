"""Builds functions and layers for one architecture, in a folder of their own."""

import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.errors import failed
from local.paths import ROOT, tool

ARCHITECTURES = ("arm64", "x86_64")
LAYERS = ("DependenciesLayer", "SigningLayer", "WebhooksLayer")


@dataclass(frozen=True, slots=True)
class Build:
    """A build: `folder` has a folder for each function and layer, and the template that names them."""

    folder: Path
    architecture: str

    @property
    def template(self) -> Path:
        """Return the template whose code is in the folders beside it."""
        return self.folder / "template.yaml"

    def functions(self) -> dict[str, Path]:
        """Return the folders of the functions by logical id."""
        return dict(sorted(self._folders(layers=False)))

    def layers(self) -> dict[str, Path]:
        """Return the folders of the layers by logical id."""
        return dict(sorted(self._folders(layers=True)))

    def _folders(self, *, layers: bool) -> Iterator[tuple[str, Path]]:
        for path in self.folder.iterdir():
            if path.is_dir() and (path.name in LAYERS) == layers:
                yield path.name, path


def own_architecture() -> str:
    """Return this machine's architecture, by Lambda's name."""
    return "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def build(folder: Path, architecture: str, environment: Mapping[str, str] | None = None) -> Build:
    """Run `sam build`. `environment` is added to the build's own. Raises LocalError."""
    folder.mkdir(parents=True, exist_ok=True)
    others = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
    log = folder / "sam-build.log"
    with log.open("wb") as output:
        ended = subprocess.run(
            [
                *(tool(".venv-sam", "sam"), "build", "--build-dir", folder / "build"),
                *("--config-file", ROOT / "samconfig.toml", "--config-env", "local"),
                *("--template-file", ROOT / "template.yaml"),
                *("--parameter-overrides", f"Architecture={architecture}"),
            ],
            cwd=folder,
            env=others
            | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
            | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode:
        raise failed("sam build failed", log)
    return Build(folder / "build", architecture)
