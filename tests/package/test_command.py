"""The command as a package of its own: built as a wheel, installed alone, and run by each Python that is here."""

import json
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import plain_protocol as protocol
from tests.loopback_api import Api
from webhooks_cli import API_VERSION, __version__

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools" / "bin" / "uv"
MINORS = (10, 11, 12, 13, 14)
LICENSE = "a-license-of-a-tenant"


def uv(*argv: object) -> None:
    ended = subprocess.run(
        [UV, *map(str, argv), "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def interpreter(minor: int) -> Path | None:
    """Find a Python on the PATH or of pyenv; a shim of pyenv's may be there and not run."""
    found = shutil.which(f"python3.{minor}")
    of_pyenv = sorted(Path("~/.pyenv/versions").expanduser().glob(f"3.{minor}.*/bin/python"))
    for path in [*([Path(found)] if found else []), *of_pyenv]:
        asked = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if asked.stdout.startswith(f"Python 3.{minor}."):
            return path
    return None


@dataclass(frozen=True)
class Installed:
    """An environment that has the command and nothing else."""

    folder: Path
    home: Path

    def __call__(self, *argv: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "bin" / "webhooks", *map(str, argv)],
            cwd=self.home,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def packages(self) -> set[str]:
        (site,) = self.folder.glob("lib/python*/site-packages")
        return {path.name.partition("-")[0] for path in site.glob("*.dist-info")}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv(
        "build",
        "--wheel",
        "--out-dir",
        folder,
        "--build-constraints",
        "requirements/build.txt",
        "--require-hashes",
        "cli",
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module", params=MINORS, ids="3.{}".format)
def webhooks(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Installed:
    python = interpreter(request.param)
    if python is None:
        pytest.skip(f"no Python 3.{request.param} on this machine")
    folder, home = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("home")
    uv("venv", "--allow-existing", "--python", python, folder)
    uv("pip", "install", "--python", folder, "--require-hashes", "-r", "requirements/command.txt")
    uv("pip", "install", "--python", folder, "--no-deps", wheel)
    return Installed(folder, home)


def test_the_installed_command_covers_the_tasks_of_a_tenant(webhooks: Installed) -> None:
    # Given what it brings: no SDK of AWS, nothing of the service's own
    assert webhooks.packages() <= {
        "webhooks_cli", "cffi", "cryptography", "pycparser", "tomli", "typing_extensions", "urllib3"
    }  # fmt: skip

    # When a tenant makes a key, and a profile with it
    shown = webhooks("--version")
    made = webhooks("keys", "new", "--out", "~/.config/webhooks/prod.key", "--json")
    key_file = webhooks.home / ".config/webhooks/prod.key"
    with Api() as api:
        profile = f'[prod]\nurl = "{api.url}"\nprivate_key_file = "prod.key"\nlicense = "{LICENSE}"\n'
        key_file.with_name("profiles.toml").write_text(profile)
        headers = webhooks("headers", "--profile", "prod", "--json")
        called = webhooks("call", "GET", "/servicekeys", "--profile", "prod", "--decrypt", "--json")

    # Then the version is said, the key is private, and the API can open what is sent
    assert shown.stdout == f"webhooks {__version__} (Webhooks API v{API_VERSION})\n"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    sent = json.loads(headers.stdout)
    assert sent["publickey"] == json.loads(made.stdout)["publicKey"]
    shared = protocol.shared_key(api.keys, sent["publickey"])
    assert protocol.unseal(shared, sent["licensekey"]) == LICENSE
    assert json.loads(called.stdout)["signingSecret"] == "whsec_x"


def test_operator_commands_name_the_extra_that_they_need(webhooks: Installed) -> None:
    for argv in (("license", "list", "--stack", "webhooks"), ("call", "GET", "/sd", "--stack", "webhooks")):
        ended = webhooks(*argv)
        assert ended.returncode == 4
        assert "webhooks-cli[operator]" in ended.stderr


def test_the_version_of_the_api_is_that_of_its_document() -> None:
    assert json.loads((ROOT / "docs/openapi.json").read_text())["info"]["version"] == API_VERSION
