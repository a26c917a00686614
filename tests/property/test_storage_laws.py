"""After any sequence of create, change and delete, index, totals, tags and pages agree with the webhooks."""

import itertools
from contextlib import ExitStack
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.clocks import NOW
from tests.contract.backends import backend_named
from tests.contract.stores import assert_consistent, open_stores
from tests.contract.webhooks_made import changed, make_record, make_webhook
from webhooks.domain.errors import AlreadyProcessedError, StaleError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Criteria, Webhook
from webhooks.ports import IdempotencyRecord

NAMES = ("a", "a.b", "order.paid")
TAGS = ("", "blue", "blue#", "\ud800", "ä")
SCOPES = (Scope("acme", "north"), Scope("acme", "south"), Scope("acme-", "north"))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)  # as request bodies are read: no number is a float
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
DEFINITIONS = st.fixed_dictionaries(
    {
        "event_names": st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple),
        "tags": st.lists(st.sampled_from(TAGS), max_size=4).map(tuple),
        "disabled": st.booleans(),
        "criteria": st.sampled_from(Criteria),
        "query": st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=3), max_size=3).map(tuple),
        "name": st.text(max_size=5),
        "paused": st.booleans(),
        "rate_limit": st.none() | st.integers(1, 1000),
        "recover": st.none() | st.booleans(),
    }
)


class StorageLaws(RuleBasedStateMachine):
    """A model that is a dictionary, beside the store under test."""

    backend_name: str
    webhooks = Bundle("webhooks")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.keys = itertools.count()

    def teardown(self) -> None:
        with self.stack:
            self.everything_agrees()  # in the end; in between it would read much more than it writes

    @initialize()
    def open(self) -> None:
        self.backend = self.stack.enter_context(backend_named(self.backend_name))
        self.stores = open_stores(self.backend)
        self.subscriptions, self.index = self.stores
        self.model: dict[str, Webhook] = {}
        self.versions = dict.fromkeys(SCOPES, 0)

    def fresh_record(self) -> IdempotencyRecord:
        return make_record(f"response {next(self.keys)}")

    @rule(target=webhooks, scope=st.sampled_from(SCOPES), definition=DEFINITIONS)
    def create(self, scope: Scope, definition: dict[str, object]) -> str:
        webhook = make_webhook(self.subscriptions.next_id(scope, now=NOW), scope, **definition)
        self.subscriptions.add(webhook, self.fresh_record())
        self.model[webhook.id] = webhook
        self.versions[scope] += 1
        return webhook.id

    @rule(webhook_id=webhooks, definition=DEFINITIONS, reason=st.none() | st.text(max_size=5))
    def change(self, webhook_id: str, definition: dict[str, object], reason: str | None) -> None:
        before = self.model[webhook_id]
        after = replace(changed(before, **definition), credential=None, disabled_reason=reason)
        self.subscriptions.change(before, after, record=None)
        self.model[webhook_id] = after
        self.versions[before.scope] += 1

    @rule(webhook_id=webhooks, definition=DEFINITIONS)
    def change_what_is_stale(self, webhook_id: str, definition: dict[str, object]) -> None:
        stale = replace(self.model[webhook_id], revision=self.model[webhook_id].revision + 1)
        with pytest.raises(StaleError):
            self.subscriptions.change(stale, changed(stale, **definition), record=self.fresh_record())

    @rule(webhook_id=consumes(webhooks))
    def delete(self, webhook_id: str) -> None:
        webhook, record = self.model.pop(webhook_id), self.fresh_record()
        self.subscriptions.remove(webhook, record)
        self.versions[webhook.scope] += 1
        with pytest.raises(AlreadyProcessedError):
            self.subscriptions.remove(webhook, record)
        assert self.subscriptions.get(webhook.scope, webhook.id) is None

    def everything_agrees(self) -> None:
        for scope in SCOPES:
            expected = [webhook for webhook in self.model.values() if webhook.scope == scope]
            assert_consistent(self.stores, scope, expected, event_names=NAMES, tags=TAGS, size=3)
        assert self.index.versions(SCOPES).by_scope == self.versions


@pytest.mark.parametrize(("backend_name", "examples"), [("memory", 100), ("moto", 6)])
def test_every_view_agrees_with_the_webhooks(backend_name: str, examples: int) -> None:
    machine = type("Laws", (StorageLaws,), {"backend_name": backend_name})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
