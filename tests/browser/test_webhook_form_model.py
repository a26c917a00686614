"""The form's model in Chromium, against the API: no value of a webhook is lost or changed on its way."""

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import open_context
from tests.factories import BASE, SYSTEM, InMemoryApp
from tools.pages import node

COUNT = 150
CREDENTIALS: dict[str, dict[str, Any]] = {
    "none": {},
    "basic": {"username": "user", "password": ""},
    "bearer": {"token": "token"},
    "api_key": {"keyName": "X-Key", "keyValue": "value"},
    "oauth2": {"oauth2": {"clientId": "id", "clientSecret": "secret"}},
}
TEXTS = ("a", "order.paid", "ä, ß", 'with "quotes" and \\', "日本語", "a.b.0", " spaced  within", "x" * 64)
NUMBERS = ("0", "1", "1.0", "-0.0", "1.50", "12345678901234567890", "1E+2", "0.1000000000000000000001")
SENTENCES = (
    "name: must be a string of 1 to 256 characters, with no control characters, line separators or bidi overrides",
    "api.url: the URL is malformed: Port could not be cast; use a number",
    "query[1]: must be an object of 1 to 20 conditions, each a field's name and the value it must have",
    "successCodes[0]: must be a number from 100 to 599",
    "api.credential.oauth2.clientId: required for authType oauth2",
    (
        "eventNames, tags: one change may add, remove or rewrite 96 of them, this one does 97; send two changes, "
        "each with a part"
    ),
    "the webhook: as JSON it may have 65536 bytes, it has 70000; shorten its query",
    "every field's name must be text that UTF-8 can write",
    "and 3 more",
)


@pytest.fixture(scope="module")
def model(browser: Browser) -> Iterator[Page]:
    """A page that has the model as `page`."""
    node.install()
    context = open_context(browser)
    page = context.new_page()
    with tempfile.TemporaryDirectory() as folder:
        node.tool("vite", "build", "--mode", "test", "--outDir", folder, "--logLevel", "error")
        page.evaluate(Path(folder, "app.js").read_text("utf-8"))
    yield page
    context.close()


def texts(made: random.Random, most: int, *, least: int = 0) -> list[str]:
    return made.sample(TEXTS, made.randint(least, min(most, len(TEXTS))))


def value(made: random.Random, depth: int = 2) -> str:
    """Return the JSON text of any value."""
    kinds = ["text", "number", "word", *(["list", "object"] if depth else [])]
    match made.choice(kinds):
        case "text":
            return json.dumps(made.choice(TEXTS), ensure_ascii=made.random() < 0.5)
        case "number":
            return made.choice(NUMBERS)
        case "word":
            return made.choice(("true", "false", "null"))
        case "list":
            return f"[{','.join(value(made, depth - 1) for _ in range(made.randint(0, 3)))}]"
        case _:
            return members(made, made.randint(0, 3), depth - 1)


def members(made: random.Random, count: int, depth: int) -> str:
    names = made.sample(TEXTS, count)
    return "{" + ",".join(f"{json.dumps(name)}:{value(made, depth)}" for name in names) + "}"


def webhook(made: random.Random) -> dict[str, Any]:
    """Make a body that creates a webhook, with some of the fields; `query` is the JSON text of one."""
    auth_type = made.choice(list(CREDENTIALS))
    api: dict[str, Any] = {"url": f"https://hooks.example.com/{made.randint(1, 3)}", "authType": auth_type}
    optional_api: dict[str, Any] = {"type": made.choice(("POST", "PUT", "PATCH"))}
    if auth_type == "oauth2":
        api |= {"oAuthGrantType": "client_credentials", "oAuthTokenUrl": "https://login.example.com/token"}
        optional_api["oAuthScopes"] = made.sample(("a", "b:c", "d/e"), made.randint(0, 3))
    if CREDENTIALS[auth_type]:
        api["credential"] = CREDENTIALS[auth_type]
    optional: dict[str, Any] = {
        "disabled": made.choice((True, False)),
        "paused": made.choice((True, False, None)),
        "createdBy": made.choice(TEXTS),
        "tags": texts(made, 5),
        "criteria": made.choice(("ANY", "ALL")),
        "retryCodes": made.sample((0, 404, 408, 503, 599), made.randint(0, 5)),
        "retryCount": made.randint(0, 2),
        "ttl": made.randint(0, 5),
        "rateLimit": made.choice((None, 1, 1000)),
        "recover": made.choice((True, False, None)),
        "query": [members(made, made.randint(1, 4), 2) for _ in range(made.randint(0, 3))],
    }
    return {
        "name": made.choice(TEXTS),
        "eventNames": [each.strip() for each in texts(made, 6, least=1)],
        "successCodes": made.sample((200, 201, 204, 410), made.randint(1, 4)),
        "api": api | some(made, optional_api),
        **some(made, optional),
    }


def some(made: random.Random, fields: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in fields.items() if made.random() < 0.6}


def created(app: InMemoryApp, body: dict[str, Any]) -> str:
    """Create a webhook; return its id."""
    query = ",".join(body.get("query", []))
    text = json.dumps(body | {"query": "QUERY"}).replace('"QUERY"', f"[{query}]")
    response = app.call("PUT", f"{BASE}/webhook", text)
    assert response.status == 200, response.text
    webhook_id: str = response.json["_id"]
    return webhook_id


def shown(app: InMemoryApp, webhook_id: str) -> str:
    return app.call("GET", f"{BASE}/webhook/{webhook_id}").text


def definition(app: InMemoryApp, webhook_id: str) -> dict[str, Any]:
    """Return what a tenant decides, its numbers as text, and the credential."""
    content: dict[str, Any] = json.loads(
        shown(app, webhook_id), parse_int=lambda text: ("number", text), parse_float=str
    )
    for name in ("_id", "health"):
        del content[name]
    sealed = json.dumps(content["api"].pop("credential", {}))
    opened = json.loads(
        sealed, object_hook=lambda found: {name: opened_value(app, each) for name, each in found.items()}
    )
    if content["api"]["authType"] != "oauth2":  # what an earlier way to authenticate has left
        for name in ("oAuthGrantType", "oAuthTokenUrl", "oAuthScopes"):
            content["api"].pop(name, None)
    return content | {"credential": opened}


def opened_value(app: InMemoryApp, value: Any) -> Any:
    return SYSTEM.open(app.public_key, value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def app() -> InMemoryApp:
    return InMemoryApp(limit=20_000)


def typed(body: dict[str, Any]) -> dict[str, str]:
    """Return a body's credential as the form has it."""
    given = body["api"].get("credential", {})
    if "oauth2" in given:
        return {f"oauth2.{name}": value for name, value in given["oauth2"].items()}
    return dict(given)


def test_an_unchanged_form_sends_nothing(model: Page, app: InMemoryApp) -> None:
    made = random.Random(11)
    stored = [shown(app, created(app, webhook(made))) for _ in range(COUNT)]

    bodies = model.evaluate(
        "texts => texts.map(text => page.changeBody(page.read(text), page.read(text)))", stored
    )

    assert set(bodies) == {"{}"}


def test_a_webhook_that_is_created_anew_is_the_same(model: Page, app: InMemoryApp) -> None:
    made = random.Random(12)
    bodies = [webhook(made) for _ in range(COUNT)]
    ids = [created(app, body) for body in bodies]

    copies = model.evaluate(
        "given => given.map(([text, credential]) => page.createBody({...page.read(text), credential}))",
        [[shown(app, webhook_id), typed(body)] for webhook_id, body in zip(ids, bodies, strict=True)],
    )

    for webhook_id, copy in zip(ids, copies, strict=True):
        response = app.call("PUT", f"{BASE}/webhook", copy)
        assert response.status == 200, (copy, response.text)
        assert definition(app, response.json["_id"]) == definition(app, webhook_id)


def test_a_change_leads_from_any_webhook_to_any_other(model: Page, app: InMemoryApp) -> None:
    made = random.Random(13)
    pairs = [(webhook(made), webhook(made)) for _ in range(COUNT)]
    ids = [(created(app, one), created(app, other)) for one, other in pairs]
    given = [
        [
            shown(app, one_id),
            shown(app, other_id),
            {} if one["api"]["authType"] == other["api"]["authType"] else typed(other),
        ]
        for (one, other), (one_id, other_id) in zip(pairs, ids, strict=True)
    ]

    changes = model.evaluate(
        "given => given.map(([one, other, credential]) => "
        "page.changeBody({...page.read(other), credential}, page.read(one)))",
        given,
    )

    for (one_id, other_id), change in zip(ids, changes, strict=True):
        response = app.call("PATCH", f"{BASE}/webhook/{one_id}", change)
        assert response.status == 200, (change, response.text)
        assert definition(app, one_id) == definition(app, other_id)


def test_what_others_changed_is_kept_beside_mine(model: Page, app: InMemoryApp) -> None:
    made = random.Random(14)
    text = shown(app, created(app, webhook(made)))
    later = shown(app, created(app, webhook(made)))

    rebased, mine = model.evaluate(
        "([text, later]) => { const stored = page.read(text);"
        "return [page.rebased({...stored, name: 'mine'}, stored, page.read(later)), page.read(later)] }",
        [text, later],
    )

    assert rebased == mine | {"name": "mine"}


def test_messages_are_split_into_their_sentences(model: Page) -> None:
    made = random.Random(15)
    messages = [made.sample(SENTENCES[:-1], made.randint(1, 8)) for _ in range(COUNT)]
    messages += [[*each, SENTENCES[-1]] for each in messages[:10]]

    split = model.evaluate("messages => messages.map(page.sentences)", ["; ".join(each) for each in messages])

    assert split == messages
