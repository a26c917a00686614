"""Repeats of a request, as the API answers them: the first response while its effect stands, and only then."""

from dataclasses import replace
from typing import Any

import pytest

from tests.clocks import NOW
from tests.factories import BASE, SCOPE, ApiResponse, InMemoryApp, basic_api, webhook_body
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.domain.errors import ConflictError, UnavailableError
from webhooks.domain.webhook import Webhook
from webhooks.ports import StoredRecord

UUID = "the same"


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def one(webhook_id: str) -> str:
    return f"{BASE}/webhook/{webhook_id}"


def put(app: InMemoryApp, **changes: Any) -> ApiResponse:
    response = app.call("PUT", f"{BASE}/webhook", webhook_body(**changes), uuid=UUID)
    assert response.status == 200, response.text
    return response


def patch(app: InMemoryApp, webhook_id: str, **fields: Any) -> ApiResponse:
    response = app.call("PATCH", one(webhook_id), fields, uuid=UUID)
    assert response.status == 200, response.text
    return response


def stored(app: InMemoryApp, webhook_id: str) -> Webhook:
    found = app.subscriptions.get(SCOPE, webhook_id)
    assert found is not None
    return found


def test_a_change_that_was_reverted_is_made_again(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]

    disabled = [patch(app, webhook_id, disabled=value).json["disabled"] for value in (True, False, True)]

    assert disabled == [True, False, True]
    assert stored(app, webhook_id).definition.disabled
    assert stored(app, webhook_id).revision == 4


def test_a_webhook_that_was_deleted_is_created_again(app: InMemoryApp) -> None:
    first = put(app).json["_id"]
    assert app.call("DELETE", one(first), uuid=UUID).status == 204

    second = put(app).json["_id"]

    assert second != first
    assert [webhook["_id"] for webhook in app.fetch()["data"]] == [second]
    assert app.call("DELETE", one(second), uuid=UUID).status == 204
    assert put(app).json["_id"] not in (first, second)


def test_a_webhook_created_repeatedly_has_one_credential_at_a_time(app: InMemoryApp) -> None:
    for _ in range(3):
        webhook_id = put(app, api=basic_api()).json["_id"]
        assert put(app, api=basic_api()).json["_id"] == webhook_id
        assert len(app.credentials.listed()) == 1
        assert app.call("DELETE", one(webhook_id), uuid=UUID).status == 204
    assert list(app.credentials.listed()) == []


def test_a_repeated_creation_counts_while_the_webhook_exists(app: InMemoryApp) -> None:
    first = put(app)
    webhook_id = first.json["_id"]
    patch(app, webhook_id, name="renamed")

    assert put(app).text == first.text
    assert app.fetch()["page"]["total"] == 1
    assert stored(app, webhook_id).definition.name == "renamed"


def test_a_repeat_of_the_last_change_changes_nothing(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    for value in (True, False, True):
        patch(app, webhook_id, disabled=value)
    revision = stored(app, webhook_id).revision

    again = patch(app, webhook_id, disabled=True)

    assert again.json["disabled"]
    assert stored(app, webhook_id).revision == revision


def test_a_change_by_the_service_in_between_is_a_change(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    patch(app, webhook_id, disabled=False)
    before = stored(app, webhook_id)
    gone = replace(before.definition, disabled=True)
    app.subscriptions.change(
        before, replace(before, definition=gone, disabled_reason="gone", revision=3), record=None
    )

    assert not patch(app, webhook_id, disabled=False).json["disabled"]
    assert not stored(app, webhook_id).definition.disabled


def test_a_repeated_change_of_a_deleted_webhook_is_a_404(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    patch(app, webhook_id, disabled=True)
    assert app.call("DELETE", one(webhook_id), uuid=UUID).status == 204

    assert app.call("PATCH", one(webhook_id), {"disabled": True}, uuid=UUID).status == 404
    assert app.call("DELETE", one(webhook_id), uuid=UUID).status == 204
    assert app.call("DELETE", one(webhook_id), uuid="another").status == 404


@pytest.mark.parametrize("call", ["create", "update", "delete"])
def test_a_change_with_a_lost_response_is_made_once(app: InMemoryApp, call: str) -> None:
    webhook_id = app.create()["_id"]
    lost = _Lost(app.subscriptions)
    app = InMemoryApp(subscriptions=lost)
    method, path, body, status = {
        "create": ("PUT", f"{BASE}/webhook", webhook_body(api=basic_api()), 200),
        "update": ("PATCH", one(webhook_id), {"name": "new"}, 200),
        "delete": ("DELETE", one(webhook_id), None, 204),
    }[call]

    assert app.call(method, path, body, uuid=UUID).status == 503
    version = lost.versions([SCOPE]).by_scope
    again = [app.call(method, path, body, uuid=UUID) for _ in range(2)]

    assert [response.status for response in again] == [status] * 2
    assert again[0].text == again[1].text
    assert lost.versions([SCOPE]).by_scope == version


@pytest.mark.parametrize("call", ["create", "update", "delete", "secret"])
def test_no_change_is_answered_before_fan_out_can_see_it(call: str) -> None:
    plain = InMemoryApp()
    webhook_id = plain.create()["_id"]
    app = InMemoryApp(subscriptions=_Uncounted(plain.subscriptions))
    method, path, body, status = {
        "create": ("PUT", f"{BASE}/webhook", webhook_body(), 200),
        "update": ("PATCH", one(webhook_id), {"name": "new"}, 200),
        "delete": ("DELETE", one(webhook_id), None, 204),
        "secret": ("POST", f"{one(webhook_id)}/secret/rotate", None, 200),
    }[call]
    version, epoch = plain.subscriptions.versions([SCOPE]).by_scope, plain.subscriptions.epoch

    answers = [app.call(method, path, body, uuid=UUID) for _ in range(3)]

    assert [answer.status for answer in answers] == [503, 503, status]
    assert plain.subscriptions.versions([SCOPE]).by_scope == {SCOPE: version[SCOPE] + 1}
    assert plain.subscriptions.epoch == (epoch or 0) + 1


def test_a_record_of_an_earlier_version_counts_until_it_expires(app: InMemoryApp) -> None:
    first = put(app)
    old = _Old(app.subscriptions)
    assert app.call("DELETE", one(first.json["_id"])).status == 204
    older = InMemoryApp(subscriptions=old)

    assert put(older).text == first.text
    assert older.fetch()["page"]["total"] == 0
    older.clock.now = app.clock.now = NOW + 2 * 3600
    assert put(older).json["_id"] != first.json["_id"]


class _Old:
    """Subscriptions whose records do not say which webhook they are of."""

    def __init__(self, subscriptions: FakeSubscriptions) -> None:
        self._subscriptions = subscriptions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subscriptions, name)

    def find_record(self, key: str) -> StoredRecord | None:
        record = self._subscriptions.find_record(key)
        return record and replace(record, webhook_id=None, revision=0)


class _Uncounted(FakeSubscriptions):
    """Subscriptions whose first changes cannot be counted in the epoch, as if the process had ended before."""

    def __init__(self, subscriptions: FakeSubscriptions, *, times: int = 2) -> None:
        self.__dict__ = vars(subscriptions)
        self._fault = self._fail
        self._times = times

    def _fail(self, point: str) -> None:
        if point == "before subscriptions.next_epoch" and self._times:
            self._times -= 1
            raise UnavailableError("dynamodb UpdateItem: throttled")


class _Lost:
    """Subscriptions whose first change takes effect, and whose caller never learns of it."""

    def __init__(self, subscriptions: FakeSubscriptions) -> None:
        self._subscriptions = subscriptions
        self._is_lost = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._subscriptions, name)
        if name not in ("add", "change", "remove") or self._is_lost:
            return real

        def lose(*args: Any, **named: Any) -> None:
            real(*args, **named)
            self._is_lost = True
            raise UnavailableError("the response is lost")

        return lose


def test_a_creation_that_only_looks_lost_keeps_its_credential() -> None:
    """As where the transaction's response is lost, and every later try meets others' changes."""
    plain = InMemoryApp()
    taken = _Taken(plain.subscriptions)
    app = InMemoryApp(subscriptions=taken)

    response = app.call("PUT", f"{BASE}/webhook", webhook_body(api=basic_api()), uuid=UUID)

    assert response.status == 409
    [shown] = app.fetch()["data"]
    assert stored(app, shown["_id"]).credential
    assert shown["api"]["credential"].keys() == {"username", "password"}
    assert put(app, api=basic_api()).json["_id"] == shown["_id"]


class _Taken:
    """Subscriptions whose additions take effect and end in a conflict."""

    def __init__(self, subscriptions: FakeSubscriptions) -> None:
        self._subscriptions = subscriptions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subscriptions, name)

    def add(self, *args: Any, **named: Any) -> None:
        self._subscriptions.add(*args, **named)
        raise ConflictError("others change this community's webhooks at the same time")
