"""Limits each tenant's requests to a rate, so that no tenant takes the API from the others.

A bucket in DynamoDB, which all functions share, limits a tenant exactly; a write for each request would cost
as much as many a request. So an environment lets a tenth of the rate through by itself in each second, and
takes blocks of as many from the bucket for what goes beyond. A quiet tenant costs no write then, a busy one a
write for each block. A request that costs much is taken from the bucket at once: few of them keep many
environments busy, each of which would see next to none.

A tenant whose requests fit into its rate and burst is never refused: a block is no larger than what the same
environment saw in the same second, so the bucket loses no more than the tenant sent. In the worst case, a
tenant gets a tenth of its rate more for each environment that answers it.
"""

import logging
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from webhooks.domain.errors import TooManyRequestsError, UnavailableError
from webhooks.ports import Clock, RateLimiter

# Requests that one counts as: docs/limits.md has what each can cost.
COSTLY: Final = 5  # hundreds of read or write units, or a call of an endpoint
HEAVY: Final = 20  # thousands of read units
SHARE: Final = 10  # a block is one in so many of the requests of a second
SECOND: Final = 1000  # ms
PAUSE: Final = 200  # ms for which a refusal by the bucket counts: so many are the writes of a storm
UNSHARED: Final = 5  # seconds for which an environment limits alone, where the bucket cannot be reached
REMEMBERED: Final = 4096  # tenants; the others begin anew

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Tenant:
    """What one environment knows of a tenant; times in epoch ms. `paid`: requests taken from the bucket."""

    second: int = 0
    alone: int = 0
    paid: int = 0
    refused_until: int = 0


class TenantThrottle:
    """The limit of one environment. `rate`: requests per second, 0 for no limit; `clock`: epoch seconds."""

    def __init__(self, limiter: RateLimiter, *, rate: int, burst: int, clock: Clock) -> None:
        self._limiter = limiter
        self._rate = rate
        # Blocks may be paid for up to a second after the requests that made them necessary.
        self._burst = burst + rate
        self._block = math.ceil(rate / SHARE)
        self._clock = clock
        self._tenants: OrderedDict[str, _Tenant] = OrderedDict()

    def admit(self, tenant_id: str, *, cost: int = 1) -> None:
        """Let a tenant's request in, which counts as `cost`. Raises TooManyRequestsError."""
        if not self._rate:
            return
        now, tenant = round(self._clock() * 1000), self._known(tenant_id)
        if now - tenant.second >= SECOND:
            tenant.second, tenant.alone = now, 0
        if cost == 1 and tenant.alone < self._block:
            tenant.alone += 1
            return
        cost = min(cost, self._burst)
        if tenant.paid < cost and not self._pay(tenant_id, tenant, cost, now=now):
            raise TooManyRequestsError(
                f"this tenant sends more than {self._rate} requests a second; send this one again later",
                seconds=1,
            )
        tenant.paid -= cost

    def _pay(self, tenant_id: str, tenant: _Tenant, cost: int, *, now: int) -> bool:
        """Take from the bucket what a request lacks; tell whether it had that."""
        if now < tenant.refused_until:
            return False
        count = self._block if cost == 1 else cost - tenant.paid
        try:
            taken = self._limiter.take(tenant_id, count=count, rate=self._rate, burst=self._burst, now=now)
        except UnavailableError as error:
            # An outage of the bucket is none of the API: the environment goes on alone, at the tenant's rate.
            logger.warning("throttle.unavailable", exc_info=error)
            tenant.paid += max(self._rate * UNSHARED, cost)
            tenant.refused_until = now + UNSHARED * SECOND
            return True
        if taken:
            tenant.paid += count
        else:
            tenant.refused_until = now + PAUSE
        return taken

    def _known(self, tenant_id: str) -> _Tenant:
        found = self._tenants.get(tenant_id)
        if found is None:
            found = self._tenants[tenant_id] = _Tenant()
            if len(self._tenants) > REMEMBERED:
                self._tenants.popitem(last=False)
        self._tenants.move_to_end(tenant_id)
        return found
