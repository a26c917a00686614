"""Two stacks with one directory: a tenant moves there and back while its events flow, and one run is killed.

Each event's callback comes, with the same keys and secrets; the producer routes by the code of docs/cells.md.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as StandardWebhook

from local import emulator
from local import stack as local_stack
from local.emulator import free_port
from local.paths import ROOT
from local.stack import Stack
from tests import plain_protocol as protocol
from tests.e2e import permissions
from tests.e2e.conftest import PARAMETERS, issue
from tests.e2e.platform_client import PlatformClient
from tests.readme_verifiers import Case, in_python
from tests.receiver import Received, Receiver

pytestmark = pytest.mark.local_only("it moves tenants between two stacks of the emulator")

CACHE_SECONDS = 2
PAUSE_SECONDS = 0.1  # between two events
SECONDS = 60.0
SECRETS = ("ServiceKeysSecret", "SigningKeysSecret", "WebhookMasterSecret")
PAGE = ROOT / "docs" / "cells.md"


@dataclass
class Platform:
    """The cells `one` and `two`, their operator, a tenant and its receiver."""

    stacks: dict[str, Stack]
    directory: str
    receiver: Receiver
    license_key: str
    keys: protocol.KeyPair = field(default_factory=protocol.new_key_pair)
    known_key: str = ""

    @property
    def environment(self) -> dict[str, str]:
        port = self.stacks["one"].port
        return emulator.client_environment(port) | {"WEBHOOKS_DIRECTORY": self.directory}

    def command(self, *argv: str) -> Any:
        """Run the operator's command; it must succeed."""
        ended = subprocess.run(
            self._line(argv), env=self.environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return json.loads(ended.stdout)

    def killed(self, *argv: str, when: str) -> None:
        """Run the command, and kill it as soon as it tells of a step."""
        process = subprocess.Popen(
            self._line(argv),
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            assert process.stderr is not None
            told = []
            for line in process.stderr:
                told.append(line)
                if when in line:
                    os.kill(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL, told

    def client(self, cell: str) -> PlatformClient:
        """Return the tenant's client with the keys that it always had."""
        made = PlatformClient(self.stacks[cell].api_url, self.license_key, keys=self.keys)
        made.service_key = self.known_key
        return made

    def create(self, name: str, **changes: Any) -> str:
        """Register a webhook whose path has its name; return its secret."""
        api = {"url": f"{self.receiver.url}/{name}", **changes.pop("api", {})}
        body = {"eventNames": ["moved"], "name": name, "successCodes": [200], "api": api, **changes}
        client = self.client("one")
        response = client.call("PUT", "webhook", body)
        assert response.status == 200, response.body
        return client.unseal(response.json["signingSecret"])

    @staticmethod
    def _line(argv: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "webhooks_cli", *argv, "--json"]


class Producer(threading.Thread):
    """Publishes events one after the other, each to the cell that the directory names."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(daemon=True)
        code = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0]
        names: dict[str, Any] = {}
        exec(compile(code, "docs/cells.md", "exec"), names)
        one = platform.stacks["one"]
        self._directory = names["Directory"](platform.directory, seconds=CACHE_SECONDS)
        self._directory._dynamodb = one.client("dynamodb")  # noqa: SLF001 - of the emulator
        self._sqs = one.client("sqs")
        self._stopped = threading.Event()
        self.sent: dict[str, str] = {}  # the queue by the event's id

    def run(self) -> None:
        while not self._stopped.wait(PAUSE_SECONDS):
            event_id = str(uuid.uuid4())
            event = {
                "eventId": event_id, "eventName": "moved", "tenantId": "acme", "communityId": "main",
                "occurredAt": time.time(), "data": {"n": len(self.sent)},
            }  # fmt: skip
            queue = self._directory.cell("acme")["eventsQueueUrl"]
            self._sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event), MessageGroupId="acme")
            self.sent[event_id] = queue

    def stop(self) -> None:
        self._stopped.set()
        self.join()


@contextmanager
def renamed(name: str) -> Iterator[None]:
    """Let the local stack have another name."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (local_stack, permissions):
            patch.setattr(module, "STACK_NAME", name)
        yield


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    kept = os.environ.get("E2E_STACK")  # as in conftest.py
    folder = (Path(kept) if kept else tmp_path_factory.mktemp("cells")) / "cells"
    port = free_port()
    stacks = {
        name: Stack(folder, port=port, environment=permissions.ENFORCED, parameters=PARAMETERS)
        for name in ("one", "two")
    }
    try:
        permissions.deploy(stacks["one"])
        assert stacks["one"].outputs
        with renamed("webhooks-two"):
            stacks["two"].port = stacks["one"].port
            permissions.deploy(stacks["two"])
            assert stacks["two"].outputs  # kept, under this name
        with Receiver() as receiver:
            key = issue(stacks["one"], "service", tenant="acme", community="main")
            yield Platform(stacks, _directory(stacks["one"]), receiver, key)
    finally:
        if not kept:
            stacks["one"].forget()


def _directory(stack: Stack) -> str:
    """Deploy deploy/cells.yaml; return its table."""
    cloudformation = stack.client("cloudformation")
    with suppress(cloudformation.exceptions.AlreadyExistsException):
        cloudformation.create_stack(
            StackName="cells",
            TemplateBody=(ROOT / "deploy" / "cells.yaml").read_text("utf-8"),
            Capabilities=["CAPABILITY_IAM"],
        )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="cells", WaiterConfig={"Delay": 1})
    [described] = cloudformation.describe_stacks(StackName="cells")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
    return str(outputs["DirectoryTable"])


def callbacks(platform: Platform, name: str) -> dict[str, list[Received]]:
    """Return the callbacks of a webhook by the event's id."""
    found: dict[str, list[Received]] = {}
    for received in list(platform.receiver.requests):
        if received.path == f"/{name}":
            found.setdefault(json.loads(received.body)["id"], []).append(received)
    return found


def assert_delivered(platform: Platform, name: str, secret: str, sent: set[str]) -> dict[str, list[Received]]:
    """Wait until each event's callback came; assert that the proofs that the receiver knows hold."""
    until = time.monotonic() + SECONDS
    while sent - callbacks(platform, name).keys() and time.monotonic() < until:
        time.sleep(0.5)
    found = callbacks(platform, name)
    assert sent - found.keys() == set(), name
    cases = []
    for received in (each for all_ in found.values() for each in all_):
        headers = {key.lower(): value for key, value in received.headers}
        assert StandardWebhook(secret).verify(received.body, headers)
        cases.append(Case(platform.known_key, headers, received.body))
    assert all(in_python(cases))
    return found


def test_a_tenant_moves_there_and_back_while_its_events_flow(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", emulator.REGION)  # of the page's code
    one, two = platform.stacks["one"], platform.stacks["two"]
    for name, stack in platform.stacks.items():
        stack_name = "webhooks-local" if name == "one" else "webhooks-two"
        platform.command("cells", "add", name, "--stack", stack_name, "--url", stack.api_url)
    for number, secret in enumerate(SECRETS):  # as in AWS: the emulator generates the same secrets twice
        seed = json.dumps({"seed": f"{number}" * 64})
        two.client("secretsmanager").put_secret_value(SecretId=two.outputs[secret], SecretString=seed)
    assert len(platform.command("cells", "join", "two", "--from", "one")["copied"]) == 3
    platform.command("tenant", "assign", "acme", "one")
    platform.known_key = PlatformClient(one.api_url, "").plain("GET", "/publickeys").json["publicKey"]
    bearer = {"authType": "bearer", "credential": {"token": "a-token"}}
    secrets = {
        "open": platform.create("open"),
        "bearer": platform.create("bearer", api=bearer),
        "paused": platform.create("paused", paused=True),
    }
    producer = Producer(platform)
    producer.start()
    try:
        time.sleep(2)
        move = ("tenant", "move", "acme", "--cache-seconds", str(CACHE_SECONDS))
        # When a run is killed while changes are refused
        platform.killed(*move, "--to", "two", when="are copied")
        page = platform.client("one").call("POST", "webhooks/fetch", {})
        assert [each["name"] for each in page.json["data"]] == ["paused", "bearer", "open"]
        refused = platform.client("one").call(
            "PATCH", f"webhook/{page.json['data'][0]['_id']}", {"name": "new"}
        )
        assert refused.status == 503
        assert refused.headers["Retry-After"] == "30"
        assert "moved to another cell" in refused.json["message"]
        # And run again, then moved back
        there = platform.command(*move, "--to", "two")
        time.sleep(2)
        client = platform.client("two")
        listed = client.call("POST", "webhooks/fetch", {}).json["data"]
        assert [each["_id"] for each in listed] == [each["_id"] for each in page.json["data"]]
        assert client.call("PATCH", f"webhook/{listed[1]['_id']}", {"name": "renamed"}).status == 200
        back = platform.command(*move, "--to", "one")
        time.sleep(2)
    finally:
        producer.stop()

    # Then both cells got events, and each one's callback came, with the keys and secrets of before
    assert there["over"]
    assert back["over"]
    queues = [stack.outputs["EventsQueueUrl"] for stack in (one, two)]
    assert set(producer.sent.values()) == set(queues)
    sent = set(producer.sent)
    found = assert_delivered(platform, "open", secrets["open"], sent)
    assert {len(each) for each in found.values()} == {1}
    for received in assert_delivered(platform, "bearer", secrets["bearer"], sent).values():
        assert ("bearer a-token") in {value.lower() for _, value in received[0].headers}
    # And what a pause has held in both cells comes once it ends
    assert callbacks(platform, "paused") == {}
    assert there["handedOver"] > 0
    client = platform.client("one")
    [paused, renamed_one, _] = client.call("POST", "webhooks/fetch", {}).json["data"]
    assert renamed_one["name"] == "renamed"
    assert client.call("PATCH", f"webhook/{paused['_id']}", {"paused": False}).status == 200
    found = assert_delivered(platform, "paused", secrets["paused"], sent)
    assert {len(each) for each in found.values()} == {1}
