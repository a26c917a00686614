"""What others list for the same load: AWS's own, and hosted services, each with its source and date."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from webhooks_cli.costs.figures import BYTES
from webhooks_cli.costs.prices import GB, MILLION, US_EAST_1
from webhooks_cli.costs.traffic import REQUEST_BYTES, Load

DAYS = 30


@dataclass(frozen=True, slots=True)
class Offer:
    """A price list. `amount` for a month of a load, in `currency`; `least`: it can only be more than that."""

    name: str
    says: str
    source: str
    amount: Callable[[Load], float]
    currency: str = "USD"
    least: bool = False


def _egress(load: Load) -> float:
    return load.events * load.endpoints * (load.size + BYTES.request_more) / GB * US_EAST_1.egress_gb


def _at_aws(load: Load, *, event: float, delivery: float) -> float:
    events = load.events * ceil(load.size / REQUEST_BYTES)
    return (events * event + load.events * load.endpoints * delivery) / MILLION + _egress(load)


def _event_bridge(load: Load) -> float:
    return _at_aws(load, event=US_EAST_1.bus_events, delivery=US_EAST_1.api_destination_calls)


def _sns(load: Load) -> float:
    return _at_aws(load, event=US_EAST_1.topic_publishes, delivery=US_EAST_1.topic_https_deliveries)


def _beyond(count: int, included: int) -> int:
    return max(0, count - included)


def _hook0(load: Load) -> float:
    """Return the cheaper plan; quotas are for a day, and events come evenly."""
    a_day = ceil(load.events / DAYS)
    return min(
        59 + DAYS * _beyond(a_day, 30_000) * 0.003,
        190 + DAYS * _beyond(a_day, 100_000) * 0.0001,
    )


OFFERS: Sequence[Offer] = (
    Offer(
        "EventBridge API destinations",
        "cannot sign; with egress",
        "cloudburn.io, Amazon EventBridge Pricing, 2026-03-13",
        _event_bridge,
    ),
    Offer("SNS HTTPS", "with egress", "the price list of docs/cost.md", _sns),
    Offer(
        "Outpost, managed",
        "$10 per million events",
        "hookdeck.com/outpost/pricing, as listed on 2026-05-25",
        lambda load: load.events * 10 / MILLION,
        least=True,
    ),
    Offer(
        "Hookdeck, Team",
        "$39, and from $0.33 per 100,000 deliveries",
        "hookdeck.com/pricing, as listed on 2026-09-20",
        lambda load: 39 + _beyond(load.events * load.endpoints, 10_000) * 0.33 / 100_000,
        least=True,
    ),
    Offer(
        "Svix, Free plan's overage",
        "$0.0001 per message beyond 50,000",
        "svix.com/pricing, as listed on 2026-09-20",
        lambda load: _beyond(load.events, 50_000) * 0.0001,
        least=True,
    ),
    Offer(
        "Svix, Professional",
        "$490, and $0.0001 per message beyond 50,000",
        "svix.com/pricing, as listed on 2026-09-20",
        lambda load: 490 + _beyond(load.events, 50_000) * 0.0001,
        least=True,
    ),
    Offer(
        "Convoy Cloud, Pro",
        "flat, up to its rate limit",
        "getconvoy.io/pricing, as listed on 2026-05-25",
        lambda _: 99,
        least=True,
    ),
    Offer(
        "Hook0",
        "the cheaper of Startup and Pro, without VAT",
        "Hook0's Terms of Sale, as of 2026-06-27",
        _hook0,
        currency="EUR",
    ),
)
