"""Gives deliveries of webhooks with a rate limit their slots: within a second, or later by the slow lane.

One call per webhook and batch reserves slots behind each other, for all dispatchers. Those of the next second
are sent at once; the others go to the slow lane, in a pack for each second. It keeps its first slot as `due`,
and reserves nothing when it comes back: so each is sent at its slot or less than a second before. A webhook
without a limit costs no call.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from webhooks.domain.delivery import Pack
from webhooks.domain.delivery_log import LogKey
from webhooks.domain.errors import UnavailableError
from webhooks.domain.health import State
from webhooks.domain.retry import MAX_DELAY
from webhooks.domain.webhook import Webhook
from webhooks.ports import Clock, RateLimiter, Workers
from webhooks.services.dispatch.stages import Delayed, Failed, NotSent, Prepared, Stage, failed

AT_ONCE = 1000  # ms: slots so close are not waited for
SECOND = 1000  # ms
# Of the limit: deliveries of a second are sent together, up to a second before their slots, and queues have
# jitter. So any 10 s have at most 10 % more than the limit says.
SHARE = 0.98


class RateLimits:
    """Places deliveries in time. `workers` reserve the slots of several webhooks at the same time."""

    def __init__(self, limiter: RateLimiter, *, clock: Clock, workers: Workers) -> None:
        self._limiter = limiter
        self._clock = clock
        self._workers = workers

    def place(self, ready: Sequence[Prepared | NotSent]) -> Sequence[Prepared | NotSent]:
        """Return the batch, deliveries with a later slot as Delayed, those without any as Failed."""
        new: dict[str, list[Prepared]] = defaultdict(list)
        reserved: dict[str, list[Prepared]] = defaultdict(list)
        for each in ready:
            if isinstance(each, Prepared) and each.webhook.definition.rate_limit is not None:
                decoded = each.decoded
                if decoded.pack.is_probe:
                    continue  # one delivery in 30 seconds at most, which must not wait behind slots of others
                if decoded.pack.due is None:
                    new[decoded.pack.webhook_id].append(each)
                else:
                    reserved[decoded.message.id].append(each)
        if not new and not reserved:
            return ready
        now = round(self._clock() * 1000)
        groups = [*new.values(), *reserved.values()]
        firsts = [
            *(self._workers.map(partial(self._reserve, now), list(new.values())) if new else ()),
            *(group[0].decoded.pack.due for group in reserved.values()),
        ]
        placed: dict[LogKey, Prepared | NotSent] = {}
        for group, first in zip(groups, firsts, strict=True):
            placed |= _in_slots(group, first, now)
        return [placed.get(each.decoded.key, each) if isinstance(each, Prepared) else each for each in ready]

    def _reserve(self, now: int, group: Sequence[Prepared]) -> int | Exception:
        webhook = group[0].webhook
        try:
            return self._limiter.reserve(_name(webhook), len(group), rate=_rate(webhook), now=now)
        except Exception as error:  # noqa: BLE001 - the boundary of one webhook: it costs no other's deliveries
            return error


def _in_slots(
    group: Sequence[Prepared], first: int | Exception | None, now: int
) -> dict[LogKey, Prepared | NotSent]:
    """Give deliveries of one webhook the slots from `first` on."""
    if isinstance(first, Exception):
        return {each.decoded.key: _unreserved(each, first) for each in group}
    interval = 1000 / _rate(group[0].webhook)
    slots = [(first or 0) + int(place * interval) for place in range(len(group))]
    return {
        each.decoded.key: each if slot - now < AT_ONCE else Delayed(each.decoded, slot)
        for each, slot in zip(group, slots, strict=True)
    }


def _rate(webhook: Webhook) -> float:
    """Return how many slots a second has."""
    return (webhook.definition.rate_limit or 1) * SHARE


def _name(webhook: Webhook) -> str:
    """Return the limiter's name: a new one where the limit changed, or where deliveries were held.

    Slots of before then mean nothing: their deliveries are held, or wait for the slots that they have.
    """
    held = (each.at for each in webhook.health.changes if each.state in (State.HELD, State.PAUSED))
    return f"W-{webhook.id}-{webhook.definition.rate_limit}-{max(held, default=0)}"


def _unreserved(prepared: Prepared, error: Exception) -> Failed:
    if isinstance(error, UnavailableError):
        return Failed(prepared.decoded, f"no slot within the webhook's rate limit: {error}")
    return failed(prepared.decoded, error)


def delayed_packs(stages: Iterable[Stage], now: int) -> list[tuple[Pack, int]]:
    """Put delayed deliveries of a pack into one for each second from `now` (epoch ms), with its delay.

    A slot beyond the longest delay is not divided yet: its pack comes back before, and is divided then.
    """
    packs: dict[tuple[str, int], list[Delayed]] = defaultdict(list)
    for stage in stages:
        if isinstance(stage, Delayed):
            delay = max(0, min(MAX_DELAY, (stage.due - now) // SECOND))
            packs[stage.decoded.message.id, delay].append(stage)
    return [
        (
            replace(
                again[0].decoded.pack,
                deliveries=tuple(each.decoded.delivery for each in again),
                due=min(each.due for each in again),
            ),
            delay,
        )
        for (_, delay), again in packs.items()
    ]
