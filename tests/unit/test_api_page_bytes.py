"""A page's response has a bound in bytes: `size` says how many webhooks fit."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.factories import BASE, SCOPE, SERVICE_CALLER, SYSTEM, Client, InMemoryApp, api_event, webhook_body
from webhooks.adapters.dynamodb.webhook_items import definition_text
from webhooks.domain.webhook_size import MAX_DEFINITION
from webhooks.entrypoints.api import limits

LAMBDA_PAYLOAD = 6 * 1024 * 1024  # bytes of a response, its body as JSON text in JSON
BYTES = 5_000_000
WIDE = "\U0001f511"  # 4 bytes as UTF-8, 12 as JSON, 14 in the JSON around it


def largest(number: int) -> bytes:
    """Return a body whose every part is as large as it may be."""
    body = webhook_body(
        eventNames=[f"{name:0{limits.EVENT_NAME_LENGTH}d}" for name in range(limits.EVENT_NAMES)],
        name=f"{number:03d}{WIDE * (limits.NAME_LENGTH - 3)}",
        tags=[f"{tag:02d}{WIDE * (limits.TAG_LENGTH - 2)}" for tag in range(limits.TAGS)],
        query=[{"a": '"' * (limits.QUERY_BYTES // 2 - 20)}],
        api={
            "url": "https://hooks.example.com/in",
            "authType": "basic",
            "credential": {
                "username": WIDE * limits.CREDENTIAL_LENGTH,
                "password": WIDE * limits.CREDENTIAL_LENGTH,
            },
        },
    )
    return json.dumps(body, ensure_ascii=False).encode()


def response(app: InMemoryApp, by: Client = SYSTEM, **asked: int) -> dict[str, Any]:
    """Return Lambda's response to API Gateway."""
    event = api_event(
        "POST", f"{BASE}/webhooks/fetch", headers=by.headers(app.public_key), body=json.dumps(asked)
    )
    return app.apis["webhooks"].handle(event, None)


@pytest.fixture(scope="module")
def app() -> InMemoryApp:
    """A community of a hundred webhooks that are as large as they may be."""
    app = InMemoryApp()
    for number in range(limits.PAGE_SIZE):
        create(app, number)
    return app


def create(app: InMemoryApp, number: int) -> str:
    result = app.call("PUT", f"{BASE}/webhook", largest(number))
    assert result.status == 200, result.text
    webhook_id: str = result.json["_id"]
    return webhook_id


def test_a_page_of_the_largest_webhooks_fits_and_has_its_real_size(app: InMemoryApp) -> None:
    result = response(app, pIndex=0, pSize=100)

    assert result["statusCode"] == 200
    assert len(result["body"]) < BYTES
    assert len(json.dumps(result)) < LAMBDA_PAYLOAD
    page = json.loads(result["body"])
    assert 25 <= len(page["data"]) < 100
    assert page["page"] == {"index": 0, "total": 100, "size": len(page["data"])}
    assert [webhook["name"][:3] for webhook in page["data"]] == [
        f"{99 - number:03d}" for number in range(len(page["data"]))
    ]
    # And not one fewer than fits into a response of Lambda
    sent = len(json.dumps(result["body"]))
    assert BYTES < sent + sent / len(page["data"]) < LAMBDA_PAYLOAD


def test_every_webhook_is_on_a_smaller_page(app: InMemoryApp) -> None:
    first = app.fetch(pIndex=0, pSize=100)["page"]["size"]
    second = app.fetch(pIndex=1, pSize=first)
    assert second["data"][0]["name"].startswith(f"{99 - first:03d}")

    pages = [app.fetch(pIndex=index, pSize=25) for index in range(4)]
    assert [page["page"] for page in pages] == [{"index": n, "total": 100, "size": 25} for n in range(4)]
    found = [webhook["name"][:3] for page in pages for webhook in page["data"]]
    assert found == [f"{99 - number:03d}" for number in range(100)]


def test_fields_hidden_from_the_caller_take_no_room(app: InMemoryApp) -> None:
    for_system, for_service = (
        len(json.loads(response(app, by=by, pSize=100)["body"])["data"]) for by in (SYSTEM, SERVICE_CALLER)
    )
    assert for_service > for_system


def test_a_page_of_25_is_never_cut() -> None:
    """Whatever a webhook has: its definition is bounded in the table, its credential by the schema."""
    app = InMemoryApp()
    for webhook_id in [create(app, number) for number in range(25)]:
        before = app.subscriptions.get(SCOPE, webhook_id)
        assert before is not None
        room = MAX_DEFINITION - len(definition_text(replace(before.definition, query=({"a": ""},))))
        definition = replace(before.definition, query=({"a": "\\" * (room // 2)},))
        assert MAX_DEFINITION - 1 <= len(definition_text(definition)) <= MAX_DEFINITION
        app.subscriptions.change(before, replace(before, definition=definition, revision=2), record=None)

    result = response(app, pSize=25)

    assert len(json.loads(result["body"])["data"]) == 25
    assert len(json.dumps(result)) < LAMBDA_PAYLOAD


def test_a_page_that_fits_has_the_requested_size(app: InMemoryApp) -> None:
    assert app.fetch(pIndex=3, pSize=30)["page"] == {"index": 3, "total": 100, "size": 30}
    assert app.fetch(pIndex=9, pSize=30)["page"] == {"index": 9, "total": 100, "size": 30}
