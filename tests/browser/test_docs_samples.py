"""The samples run as they are: each operation's, as a process, against the functions over a state in memory."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from signing import Curve
from tests import plain_protocol
from tests.browser.service import Service
from tests.factories import BASE, SYSTEM
from tools.openapi import examples
from tools.pages import node
from tools.pages.openapi import Document, Operation
from tools.pages.samples import quoted, samples
from webhooks.domain.delivery_log import Outcome

ROOT = Path(__file__).parents[2]
DOCUMENT = Document(json.loads((ROOT / "functions/discovery/openapi.json").read_text()))
OPERATIONS = {each.id: each for each in DOCUMENT.operations() if not each.is_callback}
LAST = ("cancelReplay", "deleteWebhook", "resetServiceKey")  # later ones would miss what these delete
MAIN = ("createWebhook", "getWebhookSecret", "publishEvent", "fetchDeliveries", "getHealth", "convert")
EXPECTED = {"publishEvent": 202, "deleteWebhook": 204}
SECRET = re.compile(r"^whsec_[A-Za-z0-9+/=]+$", re.MULTILINE)

# Node.js reads each file as a module, and runs none.
CHECK = """
import { readFileSync } from "node:fs";
import { SourceTextModule } from "node:vm";
for (const text of JSON.parse(readFileSync(0))) new SourceTextModule(text);
"""


def sample(operation: Operation, language: str, **given: Any) -> str:
    return next(each.text for each in samples(operation, **given) if each.language == language)


def run(language: str, text: str, pair: plain_protocol.KeyPair = SYSTEM.pair) -> str:
    """Run a sample with a caller's keys in its environment; returns its output."""
    command: list[str] = {
        "Python": [sys.executable, "-I", "-"],
        "Node.js": [str(node.NODE), "--input-type=module", "-"],
        "cURL": ["bash", "-euo", "pipefail"],
    }[language]
    given = {"KEY_ID": pair.public, "KEY_SECRET": pair.private, "LICENSE": SYSTEM.license_key}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    made = subprocess.run(
        command,
        input=text,
        env={**given, "WEBHOOKS_LICENSE": SYSTEM.license_key, "PATH": path, "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


class Deployment:
    """A service with something for each operation to find."""

    def __init__(self) -> None:
        self.service = Service()
        self.webhook_id = self.service.webhook("found")
        delivery_id = self.service.delivery(self.webhook_id, outcome=Outcome.DEAD, reason="HTTP 500")
        replay = self.service.app.call("POST", f"{BASE}/deliveries/replay", {"deliveryIds": [delivery_id]})
        self.values = {
            "webhookId": self.webhook_id,
            "deliveryId": delivery_id,
            "replayId": replay.json["replayId"],
            "keyId": quoted(self.service.app.public_key),
        }

    def run(self, operation: Operation, language: str) -> str:
        text = sample(operation, language, base=self.service.url, values=self.values)
        return run(language, text.replace(examples.WEBHOOK_ID, self.webhook_id))


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    deployment = Deployment()
    yield deployment
    deployment.service.close()


@pytest.mark.parametrize("language", ["Node.js", "Python"])
def test_every_sample_runs_as_it_is(deployment: Deployment, language: str) -> None:
    failed = {}
    for operation in sorted(OPERATIONS.values(), key=lambda each: each.id in LAST):
        output = deployment.run(operation, language)
        status = EXPECTED.get(operation.id, 200)
        if not output.startswith(f"{status} ") or bool(SECRET.search(output)) != operation.has_secret:
            failed[operation.id] = output[:200]
    assert failed == {}


@pytest.mark.parametrize("operation", MAIN)
def test_curl_runs_with_the_command(deployment: Deployment, operation: str) -> None:
    output = deployment.run(OPERATIONS[operation], "cURL")
    assert json.loads(output).keys() & {"_id", "signingSecret", "eventId", "data", "status"}


@pytest.mark.parametrize("language", ["Node.js", "Python"])
def test_samples_run_with_a_key_on_p256(language: str) -> None:
    service = Service(curve=Curve.P256)
    pair = plain_protocol.KeyPair(plain_protocol.PRIME256V1, 0xBEEF)
    output = run(language, sample(OPERATIONS["createWebhook"], language, base=service.url), pair)
    service.close()
    assert output.startswith("200 ")
    assert SECRET.search(output)


def test_every_sample_is_a_program(tmp_path: Path) -> None:
    texts = {
        language: [sample(each, language) for each in OPERATIONS.values()]
        for language in ("Node.js", "Python", "cURL")
    }
    for text in texts["Python"]:
        ast.parse(text)
    check = tmp_path / "check.mjs"
    check.write_text(CHECK)
    subprocess.run(
        [node.NODE, "--no-warnings", "--experimental-vm-modules", check],
        input=json.dumps(texts["Node.js"]),
        text=True,
        check=True,
    )
    shell = "\n".join(texts["cURL"])
    subprocess.run(["bash", "-n"], input=shell, text=True, check=True)


def test_an_error_is_printed_with_the_apis_sentence(deployment: Deployment) -> None:
    deployment.values["webhookId"] = "0" * 24
    for language in ("Node.js", "Python"):
        output = deployment.run(OPERATIONS["getWebhookSecret"], language)
        assert output.startswith("404 ")
        assert "webhookId: no such webhook" in output
