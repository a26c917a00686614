"""The laws of the tenants' limit, for any arrivals at any number of environments.

A tenant within its rate is never refused; one beyond gets no more than rate, burst, and a tenth of the rate for
each environment.
"""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clocks import Clock
from tests.fakes.rate_limiter import FakeRateLimiter
from webhooks.domain.errors import TooManyRequestsError
from webhooks.services.tenant_throttle import COSTLY, TenantThrottle

LAWS = settings(max_examples=150, deadline=None)
# Milliseconds since the request before, the environment that gets it, and its cost.
ARRIVALS = st.lists(
    st.tuples(
        st.sampled_from((0, 0, 0, 1, 7, 40, 150, 1100)), st.integers(0, 7), st.sampled_from((1, 1, 1, COSTLY))
    ),
    max_size=300,
)
LIMITS = {"rate": st.integers(1, 60), "burst": st.integers(1, 60), "environments": st.integers(1, 8)}


class Bucket:
    """What a tenant may send: a plain token bucket."""

    def __init__(self, rate: int, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.tokens, self.at = float(burst), 0

    def holds(self, cost: int, at: int) -> bool:
        self.tokens = min(self.burst, self.tokens + (at - self.at) * self.rate / 1000)
        self.at = at
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True


class Service:
    """The environments with the bucket that they share."""

    def __init__(self, rate: int, burst: int, environments: int) -> None:
        self.clock, limiter = Clock(), FakeRateLimiter()
        self.begin = self.clock.now
        self.throttles = [
            TenantThrottle(limiter, rate=rate, burst=burst, clock=self.clock) for _ in range(environments)
        ]

    def admits(self, cost: int, *, at: int, environment: int) -> bool:
        self.clock.now = self.begin + at / 1000
        try:
            self.throttles[environment % len(self.throttles)].admit("acme", cost=cost)
        except TooManyRequestsError:
            return False
        return True


@LAWS
@given(arrivals=ARRIVALS, **LIMITS)
def test_a_tenant_within_its_rate_is_never_refused(
    arrivals: list[tuple[int, int, int]], rate: int, burst: int, environments: int
) -> None:
    bucket, service, at = Bucket(rate, burst), Service(rate, burst, environments), 0
    for pause, environment, cost in arrivals:
        at += pause
        if bucket.holds(cost, at):  # a tenant that keeps to it does not send the others
            assert service.admits(cost, at=at, environment=environment)


@LAWS
@given(arrivals=ARRIVALS, **LIMITS)
def test_no_tenant_gets_much_more_than_its_rate(
    arrivals: list[tuple[int, int, int]], rate: int, burst: int, environments: int
) -> None:
    service, at, let_in = Service(rate, burst, environments), 0, 0
    for pause, environment, cost in arrivals:
        at += pause
        # One that costs more than a full bucket takes what that holds.
        let_in += service.admits(cost, at=at, environment=environment) * min(cost, burst + rate)
    seconds, share = at / 1000, math.ceil(rate / 10)
    assert let_in <= burst + rate + rate * seconds + environments * share * (seconds + 1) + 1
