"""functions/maintenance as Lambda calls it: within its time, with its counts as result and metrics."""

import io
import json

import pytest

from tests.clocks import NOW, Clock
from tests.contract.webhooks_made import ACME
from tests.fakes.credentials import FakeCredentials
from tests.fakes.subscriptions import FakeSubscriptions
from tests.random_bytes import DistinctBytes
from webhooks.domain.webhook import Credential
from webhooks.entrypoints.invocation import Invocation
from webhooks.entrypoints.schedule import ScheduledCleanup
from webhooks.logging import start_logging
from webhooks.services.orphan_cleanup import OrphanCleanup

LATER = NOW + 7200


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.fixture
def credentials() -> FakeCredentials:
    return FakeCredentials(clock=Clock(), random_bytes=DistinctBytes())


@pytest.fixture
def log() -> io.StringIO:
    stream = io.StringIO()
    start_logging(service="maintenance", level="INFO", stream=stream)
    return stream


def scheduled(credentials: FakeCredentials, invocation: Invocation) -> ScheduledCleanup:
    def now() -> float:
        return LATER

    cleanup = OrphanCleanup(
        secrets=credentials,
        subscriptions=FakeSubscriptions(clock=now, random_bytes=DistinctBytes()),
        clock=now,
        time_left=invocation.left,
    )
    return ScheduledCleanup(cleanup, invocation)


def test_the_result_of_a_cleanup_is_its_counts(credentials: FakeCredentials, log: io.StringIO) -> None:
    invocation = Invocation()
    result = scheduled(credentials, invocation).handle({}, Context())
    assert result == {"listed": 0, "unbound": 0, "orphans": 0, "deleted": 0}
    assert 299 < invocation.left() <= 300
    assert '"orphan_cleanup.completed"' in log.getvalue()


def test_a_stopped_cleanup_is_an_error_with_its_counts_as_metrics(
    credentials: FakeCredentials, log: io.StringIO
) -> None:
    ref = credentials.create(ACME, "0" * 24, credential=Credential(token="planted"))

    result = scheduled(credentials, Invocation()).handle({}, None)

    assert result == {"listed": 1, "unbound": 0, "orphans": 1, "deleted": 0}
    assert [each.secret_name for each in credentials.listed()] == [ref.secret_name]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    stopped, counted = (
        next(line for line in lines if line["message"] == message)
        for message in ("orphan_cleanup.stopped", "orphan_cleanup.counted")
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
        "CleanupStopped": 1,
    }
    assert directive["Dimensions"] == [["service"]]
    assert counted["service"] == "maintenance"
