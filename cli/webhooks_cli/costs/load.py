"""A month's load: what a user says of its events."""

from dataclasses import dataclass

MONTH_SECONDS = 30 * 86_400
# Eight hours of 21 working days: where all events come in these, batches are fuller than in an even month.
BUSY_SHARE = 8 * 21 / (24 * 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A month. `endpoints`: webhooks that an event matches; `tenants`: those that the events spread over,
    evenly, each with its community; `ms`: an endpoint's time; `size`: a body's bytes; `credentials`: webhooks
    with a credential; `log_days`: AttemptLogDays; `share`: of the month, in which the events come, evenly.
    """

    events: int
    endpoints: int = 1
    tenants: int = 100
    ms: int = 200
    size: int = 2048
    credentials: int = 0
    log_days: int = 30
    api_calls: int = 0
    share: float = 1.0

    @property
    def seconds(self) -> float:
        """The time in which the events come."""
        return MONTH_SECONDS * self.share

    @property
    def rate(self) -> float:
        """Events a second in that time."""
        return self.events / self.seconds

    @property
    def webhooks(self) -> int:
        """All that have deliveries."""
        return max(1, self.tenants * self.endpoints)
