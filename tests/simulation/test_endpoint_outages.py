"""An endpoint that is down for hours gets every event of that time: in order, at a bounded rate, and once.

On a clock on which calls take their time; tests.simulation.endpoint_outage.py has the deployment.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

import pytest

from tests.clocks import NOW
from tests.simulation.endpoint_outage import DOWN, WELL, OutageDeployment, Request
from tests.simulation.recovery_containers import RECOVERY_RATE
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.health import State

HOUR = 3600
QUIET = 600  # seconds after which a webhook whose backlog was sent is well
LATE = 3  # seconds: of a healthy endpoint's callbacks, the start of containers included
SAME_SECOND = 1.0  # of the recovery's rate: deliveries of one second are sent in any order


def run(deployment: OutageDeployment, seconds: float) -> None:
    """Let time pass until the backlog is sent, after so many seconds."""
    deployment.clock.advance(NOW + seconds)
    for _ in range(100):
        if deployment.webhook().health.backlog_since is None:
            break
        deployment.clock.advance(deployment.clock.now + 30)
    deployment.clock.advance(deployment.clock.now + QUIET)


def changes(deployment: OutageDeployment) -> dict[State, float]:
    """Return when the webhook came into each state last, in epoch seconds."""
    return {each.state: each.at / 1000 for each in deployment.webhook().health.changes}


def most_in(seconds: int, times: Iterable[float]) -> int:
    """Return the largest number of times within so many seconds."""
    per_second = Counter(map(int, times))
    return max(sum(per_second[second + each] for each in range(seconds)) for second in list(per_second))


def largest_inversion(pairs: Iterable[tuple[float, float]]) -> float:
    """Return by how many seconds an event arrives before an earlier one, at most; pairs are of its times."""
    latest = largest = 0.0
    for _, arrived in sorted(pairs):
        largest = max(largest, latest - arrived)
        latest = max(latest, arrived)
    return largest


def is_delivered_once(requests: Sequence[Request]) -> bool:
    return [each.is_success for each in requests] == [False] * (len(requests) - 1) + [True]


def check_outage(deployment: OutageDeployment, end: float) -> None:
    """Check what is promised of an endpoint that was down from the beginning until a time."""
    arrivals, held_at = deployment.arrivals(DOWN), changes(deployment)[State.HELD]
    assert set(arrivals) == set(deployment.published)
    assert all(map(is_delivered_once, arrivals.values()))

    held = [each for each, at in deployment.published.items() if held_at + 10 < at < end - 10]
    oldest = min(deployment.published, key=deployment.published.__getitem__)
    assert held
    assert {len(arrivals[each]) for each in held if each != oldest} == {1}

    late = [(at, arrivals[each][-1].at) for each, at in deployment.published.items() if at < end]
    assert min(arrived for _, arrived in late) >= end
    assert largest_inversion(late) <= SAME_SECOND
    assert most_in(10, (arrived for _, arrived in late)) <= 10 * RECOVERY_RATE * 1.1

    well = deployment.arrivals(WELL)
    assert {each: len(requests) for each, requests in well.items()} == dict.fromkeys(deployment.published, 1)
    assert max(requests[0].at - deployment.published[each] for each, requests in well.items()) < LATE

    names = Counter(deployment.endpoints.names)
    assert names["webhook.failing"] >= 1
    assert names["webhook.recovered"] == 1
    health = deployment.webhook().health
    assert (health.backlog_since, health.held_since, health.failing_since, health.failures) == (None,) * 3 + (
        0,
    )
    assert {entry.outcome for entry in deployment.log.entries()} == {Outcome.DELIVERED}
    assert deployment.log.bodies() == {}


def test_six_hours_without_an_endpoint_lose_none_of_an_event_an_hour() -> None:
    deployment = OutageDeployment(Random(1))
    deployment.endpoints.down_until[DOWN] = NOW + 6 * HOUR
    deployment.publish_every(HOUR, begin=0, end=6 * HOUR)

    run(deployment, 6 * HOUR + QUIET)

    check_outage(deployment, NOW + 6 * HOUR)


@pytest.mark.parametrize(("outage", "dense"), [(1800, 15)])
def test_a_hundred_events_a_second_without_an_endpoint_are_delivered_afterwards(
    outage: int, dense: int
) -> None:
    deployment = OutageDeployment(Random(2))
    deployment.endpoints.down_until[DOWN] = NOW + outage
    deployment.publish_every(10, begin=0, end=outage + 60, prefix="one of few ")
    deployment.publish_every(0.01, begin=outage - dense - 60, end=outage - 60, prefix="one of many ")

    run(deployment, outage + QUIET)

    check_outage(deployment, NOW + outage)


def test_a_payload_that_is_always_refused_costs_a_thousand_others_nothing() -> None:
    deployment, good = OutageDeployment(Random(3), retry_count=2), 1000
    deployment.endpoints.refused.add("bad0")
    deployment.publish_every(0.5, begin=0, end=good / 2, prefix="good")
    deployment.publish_every(1, begin=10, end=11, prefix="bad")

    run(deployment, good)

    arrivals = deployment.arrivals(DOWN)
    attempts = [each.attempt for each in arrivals.pop("bad0")]
    late = [requests[0].at - deployment.published[each] for each, requests in arrivals.items()]
    assert len(arrivals) == good
    assert {len(requests) for requests in arrivals.values()} == {1}
    assert max(late) < LATE
    assert attempts == [1, 2, 3, 4]  # its own, and one of the recovery
    [dead] = [each for each in deployment.log.entries() if each.outcome is not Outcome.DELIVERED]
    assert (dead.outcome, dead.is_recoverable, dead.delivery.event_id) == (Outcome.DEAD, False, "bad0")
    assert deployment.webhook().health.backlog_since is None


def test_a_rate_limit_holds_for_a_burst_and_loses_nothing() -> None:
    deployment, burst, rate = OutageDeployment(Random(4), rate_limit=5), 500, 5
    deployment.publish_every(0.001, begin=0, end=burst / 1000)

    deployment.clock.advance(NOW + burst / rate + 60)

    arrivals = deployment.arrivals(DOWN)
    times = sorted(each[0].at for each in arrivals.values())
    assert len(arrivals) == burst
    assert {len(requests) for requests in arrivals.values()} == {1}
    assert most_in(10, times) <= 10 * rate * 1.1
    assert times[-1] - times[0] <= burst / rate * 1.1
