"""A delivery that is sent again from its drawer, and one that is sent again by itself."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import findings
from tests.browser.logged import (
    answer,
    dead,
    move_replay,
    only_replay,
    open_console,
    retrying,
)
from tests.browser.service import Service
from tests.factories import BASE
from webhooks.domain.delivery_log import Mark
from webhooks.domain.replay import ReplayState


def drawer(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Delivery")


def test_resend_follows_the_delivery_to_its_new_answer(service: Service, page: Page) -> None:
    webhook = service.webhook("Order sync")
    made = dead(service, webhook)
    open_console(page, service, f"#/deliveries?open={made}")
    shown = drawer(page)

    shown.get_by_role("button", name="Resend").click()
    expect(shown.get_by_role("button", name="Sending")).to_be_disabled()
    expect(shown).to_contain_text("Waiting for its turn.")
    assert only_replay(service).deliveries == (made,)
    move_replay(service, sent=1, state=ReplayState.DONE)
    expect(shown).to_contain_text("Sent. Waiting for the endpoint's answer.")
    answer(service, made, mark=Mark.REPLAY)

    expect(shown).to_contain_text("Delivered at attempt 4: the endpoint answered 200")
    expect(page.get_by_text("Sent again: delivered")).to_be_visible()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Delivered")
    expect(shown.get_by_role("button", name="Resend")).to_be_disabled()


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (ReplayState.STOPPED, "its webhook is paused", "It was not sent: its webhook is paused."),
        (ReplayState.DONE, "", "It was not sent: it changed before its turn came."),
    ],
)
def test_resend_says_why_nothing_was_sent(
    service: Service, page: Page, state: ReplayState, reason: str, said: str
) -> None:
    webhook = service.webhook("Order sync")
    made = dead(service, webhook)
    open_console(page, service, f"#/deliveries?open={made}")

    drawer(page).get_by_role("button", name="Resend").click()
    expect(drawer(page)).to_contain_text("Waiting for its turn.")
    move_replay(service, sent=0, state=state, reason=reason)

    expect(drawer(page)).to_contain_text(said)
    expect(drawer(page).get_by_role("button", name="Resend")).to_be_enabled()


def test_resend_to_a_paused_webhook_shows_the_apis_sentence(service: Service, page: Page) -> None:
    webhook = service.webhook("Order sync")
    made = dead(service, webhook)
    service.app.call("PATCH", f"{BASE}/webhook/{webhook}", {"paused": True})
    open_console(page, service, f"#/deliveries?open={made}")

    drawer(page).get_by_role("button", name="Resend").click()

    expect(drawer(page).get_by_role("alert")).to_contain_text(
        f"the webhook {webhook} is paused; resume it first"
    )
    assert findings(page) == []


def test_a_retried_one_is_read_again_when_its_attempt_is_due(service: Service, page: Page) -> None:
    webhook = service.webhook("Order sync")
    made = retrying(service, webhook, due=500)
    open_console(page, service, f"#/deliveries?open={made}")
    expect(drawer(page)).to_contain_text("The endpoint answered 429.")

    answer(service, made)

    expect(drawer(page)).to_contain_text("Delivered at attempt 2", timeout=10_000)
