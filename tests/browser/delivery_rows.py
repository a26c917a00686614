"""The rows of the list of deliveries, as its tests read them."""

import json
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.logged import (
    MINUTE,
    dead,
    held,
    retrying,
)
from tests.browser.service import Service
from webhooks.domain.delivery_log import Outcome


class Log(Service):
    """Two webhooks, and a delivery of each outcome."""

    def __init__(self) -> None:
        super().__init__()
        self.orders = self.webhook("Order sync", eventNames=["order.paid"])
        self.alerts = self.webhook("Login alerts")
        self.dead = dead(self, self.orders, ago=10 * MINUTE, event_name="order.paid", event_id="event-dead")
        self.held = held(self, self.orders, ago=MINUTE, event_name="order.paid")
        self.retrying = retrying(self, self.alerts, ago=90 * MINUTE)
        self.delivered = self.delivery(self.orders, ago=5 * MINUTE, event_name="order.paid")
        self.skipped = self.delivery(
            self.orders, outcome=Outcome.SKIPPED, ago=3 * MINUTE, reason="webhook disabled"
        )


def rows(page: Page) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("link"))


def outcomes(page: Page) -> list[str]:
    return [each.split()[0] for each in rows(page).all_inner_texts()]


def filled(page: Page, count: int) -> None:
    expect(rows(page)).to_have_count(count)


def refuse(route: Route, status: int, message: str, after: int | None = None) -> None:
    headers = {"retry-after": str(after)} if after else {}
    body = json.dumps({"statusCode": status, "error": "no", "message": message})
    route.fulfill(status=status, headers=headers, content_type="application/json", body=body)
