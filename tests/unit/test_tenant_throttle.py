"""The limit of a tenant's requests: what an environment lets through, what it writes, and what an outage does."""

import pytest

from tests.clocks import Clock
from tests.fakes.rate_limiter import FakeRateLimiter
from webhooks.domain.errors import TooManyRequestsError, UnavailableError
from webhooks.services.tenant_throttle import COSTLY, UNSHARED, TenantThrottle

RATE, BURST = 50, 100
SHARE = RATE // 10  # requests of a second that an environment lets through alone
MOST = BURST + RATE  # in the bucket


class Environments:
    """Environments of functions, which have one bucket for each tenant."""

    def __init__(self, count: int = 1, *, rate: int = RATE, burst: int = BURST) -> None:
        self.clock, self.limiter = Clock(), FakeRateLimiter(fault=self._fail)
        self.error: Exception | None = None
        self.throttles = [
            TenantThrottle(self.limiter, rate=rate, burst=burst, clock=self.clock) for _ in range(count)
        ]

    def _fail(self, _: str) -> None:
        if self.error is not None:
            raise self.error

    def sends(self, tenant: str = "acme", *, environment: int = 0, cost: int = 1) -> bool:
        try:
            self.throttles[environment].admit(tenant, cost=cost)
        except TooManyRequestsError:
            return False
        return True

    def sent(self, requests: int, tenant: str = "acme", *, cost: int = 1) -> int:
        """Send requests, by each environment in turn; return how many were let in."""
        turns = range(requests)
        return sum(self.sends(tenant, environment=at % len(self.throttles), cost=cost) for at in turns)


def test_a_storm_gets_the_burst_and_what_the_environments_let_through_alone() -> None:
    for count in (1, 4):
        environments = Environments(count)
        assert environments.sent(1000) == MOST + count * SHARE


def test_a_storm_that_goes_on_gets_the_rate() -> None:
    environments, seconds = Environments(2), 20
    environments.sent(1000)
    let_in = 0
    for _ in range(seconds * 100):
        environments.clock.now += 0.01
        let_in += environments.sent(4)
    assert RATE * seconds <= let_in <= (RATE + 2 * SHARE) * (seconds + 1)


def test_a_refusal_says_how_soon_it_ends() -> None:
    environments = Environments()
    environments.sent(1000)
    with pytest.raises(TooManyRequestsError, match="more than 50 requests a second") as refused:
        environments.throttles[0].admit("acme")
    assert refused.value.seconds == 1
    environments.clock.now += 1
    assert environments.sends()


def test_another_tenant_is_unaffected() -> None:
    environments = Environments()
    environments.sent(1000)
    assert environments.sent(SHARE + MOST, "other") == SHARE + MOST


def test_a_quiet_tenant_costs_no_write() -> None:
    environments = Environments()
    for _ in range(60):
        assert environments.sent(SHARE) == SHARE
        environments.clock.now += 1
    assert environments.limiter.calls == []


def test_a_busy_tenant_costs_a_write_for_each_block() -> None:
    environments = Environments()
    for _ in range(10):
        assert environments.sent(RATE) == RATE
        environments.clock.now += 1
    assert len(environments.limiter.calls) == 10 * (RATE - SHARE) // SHARE


def test_a_storm_costs_few_writes_more() -> None:
    environments = Environments()
    environments.sent(1000)
    before = len(environments.limiter.calls)
    for _ in range(1000):
        environments.clock.now += 0.001
        environments.sent(10)
    assert len(environments.limiter.calls) - before <= 15


def test_costly_requests_are_limited_however_few_an_environment_sees() -> None:
    environments = Environments(100)
    assert environments.sent(100, cost=COSTLY) == MOST // COSTLY


def test_a_request_that_costs_more_than_a_bucket_takes_a_whole_one() -> None:
    environments = Environments(rate=1, burst=1)
    assert [environments.sends(cost=COSTLY) for _ in range(2)] == [True, False]


def test_without_a_rate_there_is_no_limit() -> None:
    environments = Environments(rate=0)
    assert environments.sent(10_000) == 10_000
    assert environments.limiter.calls == []


def test_without_the_bucket_an_environment_keeps_to_the_rate_alone() -> None:
    environments = Environments()
    environments.error = UnavailableError("dynamodb UpdateItem: no connection")
    assert environments.sent(10_000) == SHARE + RATE * UNSHARED
    assert len(environments.limiter.calls) == 0
    environments.clock.now += UNSHARED
    environments.error = None
    assert environments.sent(SHARE + 1) == SHARE + 1
    assert len(environments.limiter.calls) == 1


def test_many_tenants_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.services.tenant_throttle.REMEMBERED", 3)
    environments = Environments()
    for tenant in "abcd":
        environments.sent(1, tenant)
    assert len(environments.throttles[0]._tenants) == 3  # noqa: SLF001 - memory has no other sign
