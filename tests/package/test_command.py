"""The command as a package of its own: built as a wheel, installed alone, and run by each Python that is here."""

import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from signing import encode_webhook_secret
from tests import plain_protocol as protocol
from tests.loopback_api import Api
from tests.package.installed import ROOT, Installed, build_wheel, uv
from tests.signed_callbacks import BODY, NOW, SECRET, sent
from webhooks_cli import API_VERSION, __version__

LICENSE = "a-license-of-a-tenant"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel("cli", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(environment: Installed, wheel: Path) -> Installed:
    uv("pip", "install", "--python", environment.folder, "--require-hashes", "-r", "requirements/command.txt")
    uv("pip", "install", "--python", environment.folder, "--no-deps", wheel)
    return environment


@pytest.fixture
def webhooks(installed: Installed) -> Callable[..., subprocess.CompletedProcess[str]]:
    return lambda *argv, stdin="": installed("webhooks", *argv, stdin=stdin)


def test_the_installed_command_does_a_tenants_work(
    installed: Installed, webhooks: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    # Given its packages: no AWS SDK, nothing of the service's own
    assert installed.packages() <= {
        "webhooks_cli", "cffi", "cryptography", "pycparser", "tomli", "typing_extensions", "urllib3"
    }  # fmt: skip

    # When a tenant makes a key, and a profile with it
    shown = webhooks("--version")
    made = webhooks("keys", "new", "--out", "~/.config/webhooks/prod.key", "--json")
    key_file = installed.home / ".config/webhooks/prod.key"
    with Api() as api:
        profile = f'[prod]\nurl = "{api.url}"\nprivate_key_file = "prod.key"\nlicense = "{LICENSE}"\n'
        key_file.with_name("profiles.toml").write_text(profile)
        headers = webhooks("headers", "--profile", "prod", "--json")
        called = webhooks("call", "GET", "/servicekeys", "--profile", "prod", "--decrypt", "--json")

    # Then the version is printed, the key is private, and the API can open the envelopes
    assert shown.stdout == f"webhooks {__version__} (Webhooks API v{API_VERSION})\n"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    sent = json.loads(headers.stdout)
    assert sent["publickey"] == json.loads(made.stdout)["publicKey"]
    shared = protocol.shared_key(api.keys, sent["publickey"])
    assert protocol.unseal(shared, sent["licensekey"]) == LICENSE
    assert json.loads(called.stdout)["signingSecret"] == "whsec_x"


def test_the_installed_command_verifies_a_callback(
    installed: Installed, webhooks: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (installed.home / "headers.json").write_text(json.dumps(sent()))
    ended = webhooks(
        "verify", "--endpoint", "https://example.com/hook?a=1", "--headers", "headers.json", "--body", "-",
        "--secret", encode_webhook_secret(SECRET), "--at", NOW, "--json", stdin=BODY.decode(),
    )  # fmt: skip
    assert json.loads(ended.stdout) == {"ok": True, "verified": ["v1"], "failed": {}}


def test_operator_commands_name_the_extra_that_they_need(
    webhooks: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    for argv in (("license", "list", "--stack", "webhooks"), ("call", "GET", "/sd", "--stack", "webhooks")):
        ended = webhooks(*argv)
        assert ended.returncode == 4
        assert "webhooks-cli[operator]" in ended.stderr


def test_the_version_of_the_api_is_that_of_its_document() -> None:
    assert json.loads((ROOT / "docs/openapi.json").read_text())["info"]["version"] == API_VERSION
