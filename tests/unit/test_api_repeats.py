"""Repeats of a request, as the API answers them: the first response while its effect stands, and only then."""

from dataclasses import replace

import pytest

from tests.factories import BASE, NOW, SCOPE, World, basic_api, webhook_body
from webhooks.domain.errors import ConflictError, UnavailableError

UUID = "the same"


@pytest.fixture
def world():
    return World()


def one(webhook_id):
    return f"{BASE}/webhook/{webhook_id}"


def put(world, **changes):
    answer = world.call("PUT", f"{BASE}/webhook", webhook_body(**changes), uuid=UUID)
    assert answer.status == 200, answer.text
    return answer


def patch(world, webhook_id, **fields):
    answer = world.call("PATCH", one(webhook_id), fields, uuid=UUID)
    assert answer.status == 200, answer.text
    return answer


def stored(world, webhook_id):
    return world.subscriptions.get(SCOPE, webhook_id)


def test_a_change_that_was_changed_back_is_carried_out_again(world):
    webhook_id = world.create()["_id"]

    answered = [patch(world, webhook_id, disabled=value).json["disabled"] for value in (True, False, True)]

    assert answered == [True, False, True]
    assert stored(world, webhook_id).definition.disabled
    assert stored(world, webhook_id).revision == 4


def test_a_webhook_that_was_deleted_is_created_again(world):
    first = put(world).json["_id"]
    assert world.call("DELETE", one(first), uuid=UUID).status == 204

    second = put(world).json["_id"]

    assert second != first
    assert [webhook["_id"] for webhook in world.fetch()["data"]] == [second]
    assert world.call("DELETE", one(second), uuid=UUID).status == 204
    assert put(world).json["_id"] not in (first, second)


def test_a_webhook_that_is_made_again_and_again_has_one_credential_at_a_time(world):
    for _ in range(3):
        webhook_id = put(world, api=basic_api()).json["_id"]
        assert put(world, api=basic_api()).json["_id"] == webhook_id
        assert len(world.credentials.listed()) == 1
        assert world.call("DELETE", one(webhook_id), uuid=UUID).status == 204
    assert list(world.credentials.listed()) == []


def test_a_repeated_creation_counts_while_the_webhook_exists_whatever_became_of_it(world):
    first = put(world)
    webhook_id = first.json["_id"]
    patch(world, webhook_id, name="renamed")

    assert put(world).text == first.text
    assert world.fetch()["page"]["total"] == 1
    assert stored(world, webhook_id).definition.name == "renamed"


def test_a_repeat_of_the_last_change_changes_nothing(world):
    webhook_id = world.create()["_id"]
    for value in (True, False, True):
        patch(world, webhook_id, disabled=value)
    revision = stored(world, webhook_id).revision

    again = patch(world, webhook_id, disabled=True)

    assert again.json["disabled"]
    assert stored(world, webhook_id).revision == revision


def test_a_change_by_the_service_in_between_is_a_change(world):
    webhook_id = world.create()["_id"]
    patch(world, webhook_id, disabled=False)
    before = stored(world, webhook_id)
    gone = replace(before.definition, disabled=True)
    world.subscriptions.change(
        before, replace(before, definition=gone, disabled_reason="gone", revision=3), kept=None
    )

    assert not patch(world, webhook_id, disabled=False).json["disabled"]
    assert not stored(world, webhook_id).definition.disabled


def test_a_change_of_a_webhook_that_was_deleted_since_is_a_404(world):
    webhook_id = world.create()["_id"]
    patch(world, webhook_id, disabled=True)
    assert world.call("DELETE", one(webhook_id), uuid=UUID).status == 204

    assert world.call("PATCH", one(webhook_id), {"disabled": True}, uuid=UUID).status == 404
    assert world.call("DELETE", one(webhook_id), uuid=UUID).status == 204
    assert world.call("DELETE", one(webhook_id), uuid="another").status == 404


@pytest.mark.parametrize("call", ["create", "update", "delete"])
def test_a_change_whose_response_is_lost_is_answered_by_its_repeat_and_made_once(world, call):
    webhook_id = world.create()["_id"]
    lost = _Lost(world.subscriptions)
    world = World(subscriptions=lost)
    method, path, body, status = {
        "create": ("PUT", f"{BASE}/webhook", webhook_body(api=basic_api()), 200),
        "update": ("PATCH", one(webhook_id), {"name": "new"}, 200),
        "delete": ("DELETE", one(webhook_id), None, 204),
    }[call]

    assert world.call(method, path, body, uuid=UUID).status == 503
    version = lost.versions([SCOPE])
    again = [world.call(method, path, body, uuid=UUID) for _ in range(2)]

    assert [answer.status for answer in again] == [status] * 2
    assert again[0].text == again[1].text
    assert lost.versions([SCOPE]) == version


def test_a_record_of_an_earlier_version_counts_until_it_expires(world):
    first = put(world)
    old = _Old(world.subscriptions)
    assert world.call("DELETE", one(first.json["_id"])).status == 204
    older = World(subscriptions=old)

    assert put(older).text == first.text
    assert older.fetch()["page"]["total"] == 0
    older.clock.now = world.clock.now = NOW + 2 * 3600
    assert put(older).json["_id"] != first.json["_id"]


class _Old:
    """Subscriptions whose records do not say which webhook they are of."""

    def __init__(self, subscriptions):
        self._subscriptions = subscriptions

    def __getattr__(self, name):
        return getattr(self._subscriptions, name)

    def find_record(self, key):
        record = self._subscriptions.find_record(key)
        return record and replace(record, webhook_id=None, revision=0)


class _Lost:
    """Subscriptions whose first change takes effect, and whose caller never learns of it."""

    def __init__(self, subscriptions):
        self._subscriptions = subscriptions
        self._is_lost = False

    def __getattr__(self, name):
        real = getattr(self._subscriptions, name)
        if name not in ("add", "change", "remove") or self._is_lost:
            return real

        def lose(*args, **named):
            real(*args, **named)
            self._is_lost = True
            raise UnavailableError("the response is lost")

        return lose


def test_a_creation_that_took_effect_and_looks_lost_keeps_its_credential():
    """As where the transaction's answer is lost, and every later try meets others' changes."""
    plain = World()
    taken = _Taken(plain.subscriptions)
    world = World(subscriptions=taken)

    answer = world.call("PUT", f"{BASE}/webhook", webhook_body(api=basic_api()), uuid=UUID)

    assert answer.status == 409
    [shown] = world.fetch()["data"]
    assert stored(world, shown["_id"]).credential
    assert shown["api"]["credential"].keys() == {"username", "password"}
    assert put(world, api=basic_api()).json["_id"] == shown["_id"]


class _Taken:
    """Subscriptions whose additions take effect and end in a conflict."""

    def __init__(self, subscriptions):
        self._subscriptions = subscriptions

    def __getattr__(self, name):
        return getattr(self._subscriptions, name)

    def add(self, *args, **named):
        self._subscriptions.add(*args, **named)
        raise ConflictError("others change this community's webhooks at the same time")
