"""functions/recovery, as Lambda calls it: within its time, with its counts as answer and metrics."""

import io
import json

import pytest

from tests.contract.webhooks_made import ACME, NOW
from tests.factories import Clock, Entropy
from webhooks.adapters.memory.credentials import MemoryCredentials
from webhooks.adapters.memory.subscriptions import MemorySubscriptions
from webhooks.domain.webhook import Credential
from webhooks.entrypoints.invocation import Invocation
from webhooks.entrypoints.schedule import ScheduledSweep
from webhooks.observability import start_logging
from webhooks.services.sweep import Sweep

LATER = NOW + 7200


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.fixture
def credentials() -> MemoryCredentials:
    return MemoryCredentials(clock=Clock(), entropy=Entropy())


@pytest.fixture
def log() -> io.StringIO:
    stream = io.StringIO()
    start_logging(service="recovery", level="INFO", stream=stream)
    return stream


def scheduled(credentials: MemoryCredentials, invocation: Invocation) -> ScheduledSweep:
    def now() -> float:
        return LATER

    sweep = Sweep(
        secrets=credentials,
        subscriptions=MemorySubscriptions(clock=now, entropy=Entropy()),
        clock=now,
        time_left=invocation.left,
    )
    return ScheduledSweep(sweep, invocation, clock=now)


def test_its_answer_is_the_counts(credentials: MemoryCredentials, log: io.StringIO) -> None:
    invocation = Invocation()
    answered = scheduled(credentials, invocation).handle({}, Context())
    assert answered == {"listed": 0, "unbound": 0, "orphans": 0, "deleted": 0}
    assert 299 < invocation.left() <= 300
    assert '"sweep.completed"' in log.getvalue()


def test_a_sweep_that_stops_is_an_error_with_its_counts_as_metrics(
    credentials: MemoryCredentials, log: io.StringIO
) -> None:
    ref = credentials.create(ACME, "0" * 24, credential=Credential(token="planted"))

    answered = scheduled(credentials, Invocation()).handle({}, None)

    assert answered == {"listed": 1, "unbound": 0, "orphans": 1, "deleted": 0}
    assert [each.secret_name for each in credentials.listed()] == [ref.secret_name]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    stopped, counted = (
        next(line for line in lines if line["message"] == message)
        for message in ("sweep.stopped", "sweep.counted")
    )
    assert stopped["level"] == "ERROR"
    assert stopped["secrets"] == [ref.secret_name]
    [directive] = counted["_aws"]["CloudWatchMetrics"]
    values = {metric["Name"]: counted[metric["Name"]] for metric in directive["Metrics"]}
    assert values == {
        "CredentialsListed": 1,
        "CredentialsUnbound": 0,
        "CredentialsOrphans": 1,
        "CredentialsDeleted": 0,
        "SweepStopped": 1,
    }
    assert directive["Dimensions"] == [["service"]]
    assert counted["service"] == "recovery"
