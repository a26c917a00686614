"""A deployment that is backed up and restored elsewhere has the same tables and secrets, item by item."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clocks import NOW
from tests.contract.backends import backend_named
from tests.contract.webhooks_made import changed, make_record, make_webhook
from tests.integration.backups import Backups, Deployment
from tests.property.test_storage_laws import DEFINITIONS, SCOPES
from webhooks.domain.webhook import Credential

CREDENTIALS = st.none() | st.builds(Credential, token=st.text(min_size=1, max_size=9).filter(str.isprintable))
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["create", "create", "create", "change", "delete"]),
        st.sampled_from(SCOPES),
        DEFINITIONS,
        CREDENTIALS,
        st.integers(0, 5),
    ),
    max_size=8,
)
STATES = st.fixed_dictionaries(
    {"seed": st.text(max_size=9)},
    optional={
        "keys": st.lists(st.fixed_dictionaries({"pair": st.text(max_size=9), "since": st.integers(0, 9)}))
    },
)


def act(one: Deployment, acts: list[Any]) -> None:
    """Create, change and delete webhooks as the API does."""
    stored: list[Any] = []
    subscriptions = one.subscriptions
    for number, (kind, scope, definition, credential, at) in enumerate(acts):
        if kind == "create":
            webhook = make_webhook(subscriptions.next_id(scope, now=NOW), scope, **definition)
            ref = credential and one.credentials.create(scope, webhook.id, credential=credential)
            stored.append(replace(webhook, credential=ref))
            subscriptions.add(stored[-1], make_record(f"{number}"))
        elif stored and kind == "change":
            before = stored[at % len(stored)]
            stored[at % len(stored)] = changed(before, **definition)
            subscriptions.change(before, stored[at % len(stored)], record=None)
        elif stored:
            subscriptions.remove(stored.pop(at % len(stored)), make_record(f"{number}"))


@given(acts=ACTS, state=STATES, labels=st.lists(st.text(max_size=5), max_size=3))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_backup_and_its_restore_are_the_identity(acts: list[Any], state: Any, labels: list[str]) -> None:
    with backend_named("moto") as backend, tempfile.TemporaryDirectory() as folder:
        one = Deployment(backend, "one", Path(folder) / "one")
        two = Deployment(backend, "two", Path(folder) / "two")
        backups = Backups(Path(folder))
        act(one, acts)
        for number, label in enumerate(labels):
            one.license(f"{number}", label={"S": label.encode("utf-8", "replace").decode()})
        one.put_secret("signingKeysSecret", state)

        created = backups.create(one, "a.age")
        restored = backups.restore(two, "a.age")

        assert (created.code, restored.code) == (0, 0), created.stdout + restored.stdout
        assert two.state() == one.state()
        assert restored.document["same"]
        # And again, which changes nothing
        assert backups.restore(two, "a.age").code == 0
        assert two.state() == one.state()
