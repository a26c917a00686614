"""Requests in any order, under few request ids and with lost responses, all take effect.

The exact repeat of the last change is the only request that may do nothing, as it asks for the state that is there already;
and a creation is not repeated while its webhook exists.
"""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import BASE, ApiResponse, InMemoryApp, webhook_body
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.domain.errors import UnavailableError

NAMES = ("a", "b")
UUIDS = ("one", "another")
STEPS = st.tuples(
    st.sampled_from(["create", "update", "update", "delete"]),
    st.sampled_from(UUIDS),
    st.sampled_from(NAMES),
    st.booleans(),  # whether the response is lost, and the request sent again
)


class LosesAnswers:
    """Subscriptions whose next change takes effect without a response, when told so."""

    def __init__(self, subscriptions: FakeSubscriptions) -> None:
        self._subscriptions = subscriptions
        self.loses = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._subscriptions, name)
        if name not in ("add", "change", "remove"):
            return real

        def call(*args: Any, **named: Any) -> None:
            real(*args, **named)
            if self.loses:
                self.loses = False
                raise UnavailableError("the response is lost")

        return call


class Model:
    """The expected state: names of webhooks by id, and the id that each creation made last."""

    def __init__(self) -> None:
        self.subscriptions = LosesAnswers(InMemoryApp().subscriptions)
        self.app = InMemoryApp(subscriptions=self.subscriptions)
        self.names: dict[str, str] = {}
        self.created: dict[tuple[str, str], str] = {}
        self.last: str | None = None  # the webhook that is changed and deleted; it may be gone

    def send(self, method: str, path: str, body: object, *, uuid: str, is_lost: bool) -> ApiResponse:
        self.subscriptions.loses = is_lost
        response = self.app.call(method, path, body, uuid=uuid)
        if self.subscriptions.loses:  # it changed nothing, so nothing was lost
            self.subscriptions.loses = False
        elif is_lost:
            assert response.status == 503
            response = self.app.call(method, path, body, uuid=uuid)
        return response

    def create(self, uuid: str, name: str, *, is_lost: bool) -> None:
        before = self.created.get((uuid, name))
        response = self.send("PUT", f"{BASE}/webhook", webhook_body(name=name), uuid=uuid, is_lost=is_lost)
        assert response.status == 200
        self.last = response.json["_id"]
        assert (self.last == before) == (before in self.names)
        self.names.setdefault(self.last, name)
        self.created[uuid, name] = self.last

    def update(self, uuid: str, name: str, *, is_lost: bool) -> None:
        response = self.send(
            "PATCH", f"{BASE}/webhook/{self.last}", {"name": name}, uuid=uuid, is_lost=is_lost
        )
        assert response.status == (200 if self.last in self.names else 404)
        if response.status == 200:
            assert response.json["name"] == name
            self.names[str(self.last)] = name

    def delete(self, uuid: str, _: str, *, is_lost: bool) -> None:
        response = self.send("DELETE", f"{BASE}/webhook/{self.last}", None, uuid=uuid, is_lost=is_lost)
        if self.names.pop(str(self.last), None) is not None:
            assert response.status == 204
        else:
            assert response.status in (204, 404)  # as the request id is that of the deletion, or another

    def agrees(self) -> None:
        shown = {webhook["_id"]: webhook["name"] for webhook in self.app.fetch(pSize=100)["data"]}
        assert shown == self.names


@settings(max_examples=120, deadline=None)
@given(st.lists(STEPS, max_size=14))
def test_every_request_agrees_with_the_model(steps: Sequence[tuple[str, str, str, bool]]) -> None:
    model = Model()
    for step, uuid, name, is_lost in steps:
        if model.last is not None or step == "create":
            getattr(model, step)(uuid, name, is_lost=is_lost)
        model.agrees()
