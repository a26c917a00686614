"""Deployments under traffic: another version of the code, the first one again, and aliases moved by hand.

Each webhook gets each event exactly once, and callbacks of both versions arrive: their User-Agent tells which.
A stack of its own, without the emulator's IAM: each deployment writes the roles anew, and until they are corrected
calls would be denied (tests/e2e/permissions.py).
"""

import json
import os
import shutil
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as StandardWebhook

from local.emulator import free_port
from local.paths import ROOT
from local.stack import Stack
from tests.e2e import permissions
from tests.e2e.conftest import PARAMETERS, issue
from tests.e2e.platform_client import PlatformClient
from tests.e2e.test_delivery import register
from tests.receiver import Received, Receiver
from webhooks.adapters.aws.clients import CONFIG, AwsClients
from webhooks.adapters.aws_lambda.versions import LambdaVersions
from webhooks.ports.releases import NewVersion
from webhooks.services.dispatch.callback_request import USER_AGENT
from webhooks.services.release_check import ReleaseCheck

SOURCES = ("template.yaml", "samconfig.toml", ".python-version", "functions", "layers")
PATCHED = Path("layers/webhooks/python/webhooks/services/dispatch/callback_request.py")
OTHER_AGENT = f"{USER_AGENT}-other"
PAUSE = 0.1  # seconds between two messages of events
ARRAY_EVERY = 10  # messages, of which one has three events
SEEN_SECONDS = 90.0  # until a deployed version has sent a callback
SECONDS = 60.0  # until the last event is delivered
EVENT_PATH = ("FanoutFunction", "DispatcherFunction", "RecoveryFunction")


def other_version(folder: Path) -> Path:
    """Copy the sources, and change a constant in a layer."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    (folder / ".tools").symlink_to(ROOT / ".tools")
    patched = folder / PATCHED
    text = patched.read_text("utf-8")
    assert text.count(f'USER_AGENT = "{USER_AGENT}"') == 1
    patched.write_text(text.replace(f'"{USER_AGENT}"', f'"{OTHER_AGENT}"'), "utf-8")
    return folder


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    kept = os.environ.get("E2E_STACK")  # as in conftest.py, beside that stack
    folder = Path(f"{kept}-update") if kept else tmp_path_factory.mktemp("update")
    deployed = Stack(folder, port=free_port(), parameters=PARAMETERS)
    try:
        deployed.up()
        yield deployed
    finally:
        if not kept:
            deployed.forget()


@pytest.fixture(scope="module")
def other(first: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The same stack with the other version of the code: it is built, and `up` deploys it."""
    root = other_version(tmp_path_factory.mktemp("other"))
    stack = Stack(first.folder, port=first.port, parameters=PARAMETERS, root=root)
    stack.prepare()
    return stack


class Traffic(threading.Thread):
    """Sends events steadily; `ids` are those that the queue took."""

    def __init__(self, stack: Stack, event_name: str) -> None:
        super().__init__(daemon=True, name="traffic")
        self._sqs = stack.client("sqs")
        self._url = stack.outputs["EventsQueueUrl"]
        self._name = event_name
        self._stopping = threading.Event()
        self.ids: list[str] = []

    def run(self) -> None:
        number = 0
        while not self._stopping.wait(PAUSE):
            number += 1
            events = [self._event() for _ in range(3 if number % ARRAY_EVERY == 0 else 1)]
            body = json.dumps(events if len(events) > 1 else events[0])
            self._sqs.send_message(QueueUrl=self._url, MessageBody=body, MessageGroupId="acme")
            self.ids += [each["eventId"] for each in events]

    @contextmanager
    def flowing(self) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            self._stopping.set()
            self.join()

    def _event(self) -> dict[str, Any]:
        scope = {"tenantId": "acme", "communityId": "main"}
        return {"eventId": str(uuid.uuid4()), "eventName": self._name, **scope, "data": {}}


def live(stack: Stack, function: str) -> tuple[str, str]:
    """Return a function's name, and the version that its alias points to."""
    name = permissions.physical_id(stack, function)
    alias = stack.client("lambda").get_alias(FunctionName=name, Name="live")
    return name, str(alias["FunctionVersion"])


def sent_by(receiver: Receiver, agent: str, *, since: float) -> list[Received]:
    return [each for each in receiver.requests if each.header("user-agent") == agent and each.at > since]


def await_agent(receiver: Receiver, agent: str) -> None:
    """Wait until callbacks of a version arrive, and none of the other one did for a second."""
    began = time.time()
    until = time.monotonic() + SEEN_SECONDS
    others = {USER_AGENT, OTHER_AGENT} - {agent}
    while time.monotonic() < until:
        now = time.time()
        still = [each for name in others for each in sent_by(receiver, name, since=now - 1)]
        if sent_by(receiver, agent, since=began) and not still:
            return
        time.sleep(0.2)
    raise AssertionError(f"{agent} sends nothing, or not all, after {SEEN_SECONDS} s")


def move(stack: Stack, versions: dict[str, str]) -> None:
    """Move aliases by hand, as docs/releases.md has it."""
    for name, version in versions.items():
        stack.client("lambda").update_alias(FunctionName=name, Name="live", FunctionVersion=version)


def test_updates_forward_and_back_under_traffic_lose_and_double_nothing(first: Stack, other: Stack) -> None:
    client = PlatformClient(first.api_url, issue(first, "system"))
    with Receiver() as receiver:
        one, name = register(client, receiver, path="/one")
        two, _ = register(client, receiver, path="/two", eventNames=[name])
        traffic = Traffic(first, name)
        with traffic.flowing():
            await_agent(receiver, USER_AGENT)
            before = dict(live(first, each) for each in EVENT_PATH)

            other.up()
            await_agent(receiver, OTHER_AGENT)
            after = dict(live(other, each) for each in EVENT_PATH)

            first.up()
            await_agent(receiver, USER_AGENT)

            move(first, after)
            await_agent(receiver, OTHER_AGENT)
            move(first, before)
            await_agent(receiver, USER_AGENT)
        receiver.wait_for(2 * len(traffic.ids), seconds=SECONDS)
        time.sleep(2)  # for a callback that should not come
        calls = list(receiver.requests)

    assert all(before[each] != after[each] for each in before)
    wanted = Counter(dict.fromkeys(traffic.ids, 1))
    assert len(wanted) == len(traffic.ids)
    for path, webhook in (("/one", one), ("/two", two)):
        verify = StandardWebhook(client.unseal(webhook["signingSecret"])).verify
        mine = [each for each in calls if each.path == path]
        assert Counter(verify(each.body, dict(each.headers))["id"] for each in mine) == wanted
        assert Counter(each.header("webhook-id") for each in mine).total() == len(wanted)
        assert len({each.header("webhook-id") for each in mine}) == len(wanted)
    assert {each.header("user-agent") for each in calls} == {USER_AGENT, OTHER_AGENT}


class Reports:
    """CodeDeploy's part of a check: the versions, and the results."""

    def __init__(self, versions: list[NewVersion]) -> None:
        self.versions = versions
        self.results: list[bool] = []

    def new_versions(self, _deployment_id: str) -> list[NewVersion]:
        return self.versions

    def report(self, _deployment_id: str, _execution_id: str, *, is_good: bool) -> None:
        self.results.append(is_good)


def released(stack: Stack) -> list[str]:
    """Return the functions that have an alias."""
    found = permissions.logical_ids(stack).values()
    return sorted(each.removesuffix("Aliaslive") for each in found if each.endswith("Aliaslive"))


@pytest.fixture(scope="module")
def versions(first: Stack) -> Iterator[LambdaVersions]:
    """The published versions, as functions/pre_traffic invokes them."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "AWS_ENDPOINT_URL": first.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            environment.setenv(name, value)
        aws = AwsClients(time_left=lambda: 60.0, config=CONFIG.merge(type(CONFIG)(read_timeout=30)))
        yield LambdaVersions(aws)
        aws.close()


def test_the_check_of_a_release_invokes_every_published_version(
    first: Stack, versions: LambdaVersions
) -> None:
    functions = released(first)
    assert len(functions) == 12

    deployments = Reports([NewVersion(*live(first, each)) for each in functions])

    assert ReleaseCheck(deployments=deployments, versions=versions).run("d-1", "e-1")
    assert deployments.results == [True]


def test_the_check_refuses_a_published_version_with_a_wrong_parameter(
    first: Stack, versions: LambdaVersions
) -> None:
    functions = first.client("lambda")
    name, _ = live(first, "DispatcherFunction")
    before = functions.get_function_configuration(FunctionName=name)["Environment"]
    wrong = {"Variables": before["Variables"] | {"RETRY_DELAYS": "soon"}}
    functions.update_function_configuration(FunctionName=name, Environment=wrong)
    try:
        version = functions.publish_version(FunctionName=name)["Version"]
    finally:
        functions.update_function_configuration(FunctionName=name, Environment=before)
    deployments = Reports([NewVersion(name, version)])

    assert not ReleaseCheck(deployments=deployments, versions=versions).run("d-1", "e-1")
    assert deployments.results == [False]
