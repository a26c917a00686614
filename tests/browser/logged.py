"""Deliveries as they stand in a log: dead after three attempts, held, retried; and replays that go on by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Recorded, open_context, record
from tests.browser.service import Service, attempt
from tests.factories import SCOPE
from webhooks.domain.delivery import Attempt
from webhooks.domain.delivery_log import LogEntry, Mark, Outcome
from webhooks.domain.http import PhaseTimes
from webhooks.domain.replay import Replay, ReplayState

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000  # ms
UNAVAILABLE = "upstream connect error: connection termination"
DOWN = "the webhook's endpoint is down"


def open_console(page: Page, service: Service, address: str) -> None:
    """Open a view of the connected console."""
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    page.evaluate("address => { location.hash = address }", address)


@contextmanager
def connected_tab(browser: Browser, service: Service, **settings: Any) -> Iterator[Page]:
    """Open a connected page for several tests; errors of its scripts fail the last one."""
    context = open_context(browser, **settings)
    page, recorded = context.new_page(), Recorded()
    record(page, recorded)
    open_console(page, service, "#/webhooks")
    yield page
    context.close()
    assert [each for each in recorded.complaints if "Failed to load resource" not in each] == []


def visit(page: Page, address: str) -> None:
    """Go to a view anew: nothing that was typed or chosen in it before is left."""
    page.evaluate(
        """async address => {
            location.hash = "#/system";
            await new Promise(resolve => setTimeout(resolve, 50));
            location.hash = address;
        }""",
        address,
    )


LOOKS: list[tuple[int, Literal["light", "dark"]]] = [(390, "dark"), (1440, "light")]


@contextmanager
def look(page: Page, width: int, scheme: Literal["light", "dark"]) -> Iterator[None]:
    """Give a page a width and a colour scheme; afterwards it is as it was."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    yield
    page.emulate_media(color_scheme="light")
    if before is not None:
        page.set_viewport_size(before)


def dead(service: Service, webhook_id: str, *, ago: int = MINUTE, **changes: Any) -> str:
    """Log a delivery that had three attempts: 503, no answer, 503."""
    at = service.now - ago
    attempts = [
        attempt(at, 503, latency_ms=212, excerpt=UNAVAILABLE),
        unanswered(at + 31 * SECOND),
        attempt(at + 5 * MINUTE, 503, latency_ms=800, excerpt='{"error":"still down"}'),
    ]
    chosen = {"attempts": attempts, "reason": "HTTP 503 at the last of 3 attempts", **changes}
    return service.delivery(webhook_id, outcome=Outcome.DEAD, ago=ago, **chosen)


def unanswered(at: int) -> Attempt:
    """An attempt whose endpoint took the request, and said nothing."""
    return attempt(
        at,
        None,
        latency_ms=5000,
        reason="deadline: the time was up: waiting for the response",
        times=PhaseTimes(lookup=9, connect=30, tls=64, first_byte=0, total=5000),
    )


def held(service: Service, webhook_id: str, **changes: Any) -> str:
    return service.delivery(webhook_id, outcome=Outcome.HELD, **{"reason": DOWN, **changes})


def retrying(
    service: Service, webhook_id: str, *, due: int = 108 * SECOND, ago: int = MINUTE, **changes: Any
) -> str:
    """Log a delivery that was answered 429 and is sent again in `due` ms."""
    attempts = [attempt(service.now - ago, 429, excerpt='{"error":"rate limit exceeded"}')]
    chosen = {"attempts": attempts, "next_at": service.now + due, **changes}
    return service.delivery(webhook_id, outcome=Outcome.RETRYING, ago=ago, **chosen)


def entry_of(service: Service, delivery_id: str) -> LogEntry:
    return next(each for each in service.app.deliveries.entries() if each.delivery.id == delivery_id)


def lose_payload(service: Service, delivery_id: str) -> None:
    """Log a delivery anew without its payload, as after the payload's time to live."""
    before = entry_of(service, delivery_id)
    without = replace(before, delivery=replace(before.delivery, body=""), has_payload=False)
    assert not service.app.deliveries.record([without])


def answer(service: Service, delivery_id: str, status: int = 200, *, mark: Mark | None = None) -> None:
    """Log one more attempt of a delivery, as the dispatcher does: delivered with 200, else dead."""
    before = entry_of(service, delivery_id)
    tried = before.delivery.tried(attempt(service.now, status, excerpt=None if status == 200 else "no"))
    is_taken = status == 200
    after = replace(
        before,
        delivery=tried,
        outcome=Outcome.DELIVERED if is_taken else Outcome.DEAD,
        reason=None if is_taken else f"HTTP {status} at the last of {tried.tries} attempts",
        settled_at=service.now + 1,
        next_at=None,
        mark=mark,
    )
    with service.server.lock:
        assert not service.app.deliveries.record([after])


def only_replay(service: Service) -> Replay:
    """Return the newest replay of the community."""
    return service.app.replays.newest(SCOPE, after=None, size=1)[0]


def move_replay(
    service: Service,
    *,
    sent: int,
    without_payload: int = 0,
    state: ReplayState | None = None,
    reason: str = "",
) -> Replay:
    """Bring the newest replay forward, as the recovery function does page by page; `state`: its end."""
    with service.server.lock:
        before = only_replay(service)
        after = replace(before, sent=sent, without_payload=without_payload, updated_at=service.now)
        if state is not None:
            after = after.ended(state, now=service.now, reason=reason or None)
        service.app.replays.change(before, after)
    return after
