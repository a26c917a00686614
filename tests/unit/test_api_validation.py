"""Every field's bounds, on both sides of each, and the sentence for values beyond them."""

import json
from typing import Any

import pytest

from tests.factories import BASE, SYSTEM, InMemoryApp, api_event, basic_api, webhook_body

CREATE = f"{BASE}/webhook"
FETCH = f"{BASE}/webhooks/fetch"
URL = "https://hooks.example.com/in"
OAUTH2 = {
    "url": URL,
    "authType": "oauth2",
    "oAuthGrantType": "client_credentials",
    "oAuthTokenUrl": "https://login.example.com/",
    "credential": {"oauth2": {"clientId": "i", "clientSecret": "s"}},
}


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


# baserproject/basercms#1514, permissionlesstech/bitchat#1699, wireapp/wire-ios-utilities#33,
# jawah/charset_normalizer#96
TEXTS = [
    *(
        "ü 漢",
        "受注\u3000通知",
        "Commande\xa0: payée",
        "می\u200cخواهم",  # noqa: RUF001
        "orders 👨\u200d👩\u200d👧",
        "🏳️\u200d🌈 hook",
    ),
    *(
        "ශ්\u200dරී",
        "\U0001fae9",
        "🔔 orders",
        "🇯🇵",
        "soft\xadhyphen",
        "\u200fעברית",  # noqa: RUF001
        "\ue000",
        "\ufeff",
        "\ufffe",
        " a ",
    ),
]
# Cc, Zl, Zp, Cs, and bidi overrides
NO_TEXTS = [
    *(
        "a\x00",
        "a\nb",
        "a\tb",
        "\x1f",
        "\x7f",
        "\x80",
        "\x85",
        "\x9f",
        "a\u2028b",
        "\u2029",
        "\ud800",
        "\udfff",
    ),
    *("\u202a", "\u202b", "\u202c", "\u202d", "a\u202eb", "\u2066", "\u2067", "\u2068", "\u2069"),
]
GOOD: dict[str, list[Any]] = {
    "eventNames": [
        *(["a"], [f"e{number}" for number in range(50)], ["x" * 128], ["A-z_0.9"], ["x", "y" * 127 + "z"]),
        # buildkite/docs#896, floci-io/floci#709, aws/serverless-application-model#2406
        *(["Build Finished", "Object Created"], ["com.acme/order:created"], ["a b"], ["é"], ["a#b"], ["#"]),
        *([text] for text in TEXTS if text.strip() == text),
    ],
    "name": ["x", "x" * 256, *TEXTS],
    "disabled": [True, False],
    "createdBy": ["x", "x" * 256, *TEXTS],
    "tags": [[], TEXTS, ["x" * 64], [f"t{number}" for number in range(20)]],
    "query": [
        [],
        [{"a": None}],
        [{"a": nested(16)}],
        [{str(number): number for number in range(20)}] * 20,
        [{"a": "x" * 8000}],
        [{"x" * 256: [1, {"b": 2.5}]}],
        [{"a": [{}] * 498}],
    ],
    "criteria": ["ANY", "ALL"],
    "successCodes": [[100], [599], [200, 200.0, 2e2], list(range(200, 250))],
    "retryCodes": [[], [0], [100, 599, 0], [0.0]],
    "retryCount": [0, 2, 1.0],
    "ttl": [0, 5, 3.0],
    "paused": [True, False, None],
    "rateLimit": [1, 1000, 5.0, None],
    "recover": [True, False, None],
    "api": [
        basic_api(),
        OAUTH2,
        {**OAUTH2, "oAuthScopes": ["a:b/c", "x" * 128]},
        {"url": f"{URL}?{'x' * (2048 - len(URL) - 1)}"},
        {"url": "http://hooks.example.com:8080/"},
        {"url": URL, "type": "PUT"},
        {"url": URL, "credential": {}},
        {"url": URL, "credential": {"username": ""}},
        basic_api(credential={"username": "u", "password": "x" * 4096}),
        # prometheus-operator/prometheus-operator#4260, grafana/grafana#39153, tomas/needle#47
        basic_api(credential={"username": "", "password": "genie-key"}),
        basic_api(credential={"username": "sk_live_abc", "password": ""}),
        basic_api(credential={"username": "", "password": ""}),
        basic_api(credential={"username": "u", "password": "p", "token": "", "oauth2": {"clientId": ""}}),
        *(basic_api(credential={"username": text.replace(":", ""), "password": text}) for text in TEXTS),
    ],
}
BAD: dict[str, list[Any]] = {
    "eventNames": [
        *(None, [], "", "a b", [""], ["x" * 129], [1], [None], ["a\n"], {"a": 1}),
        *([" a"], ["a "], [" "], ["\u3000a"], ["a\xa0"], ["a\u2009"], [f"a{' ' * 127}"]),
        *([text] for text in NO_TEXTS),
        [f"e{number}" for number in range(51)],
    ],
    "name": [None, "", "x" * 257, 7, ["x"], *NO_TEXTS],
    "disabled": ["true", 0, 1, "no", []],
    "createdBy": ["", "x" * 257, 7, *NO_TEXTS],
    "tags": [
        "a",
        [""],
        ["x" * 65],
        [1],
        *([text] for text in NO_TEXTS),
        [f"t{number}" for number in range(21)],
        {},
    ],
    "query": [
        *("a", {}, [[]], [{}], [1], [None], [{"": 1}], [{"x" * 257: 1}]),
        [{"a": nested(17)}],
        [{"a": 1}] * 21,
        [{str(number): number for number in range(21)}],
        [{"a": "x" * 8192}],
        [{"a": "\ud800"}],
        [{"a": [{}] * 499}],
        [{"a": [{}] * 2_700}],  # 8,109 bytes: 189 KB of memory once it is read
        [{"a": [[1] * 10] * 46}],
        [{"\udfff": 1}],
    ],
    "criteria": ["any", "", 1, "OR", []],
    "successCodes": [
        None,
        [],
        [99],
        [600],
        ["200"],
        [True],
        [200.5],
        [0],
        [None],
        200,
        list(range(200, 251)),
    ],
    "retryCodes": [[99], [600], [-1], ["0"], [True], [False], [0.5], 0, list(range(200, 251))],
    "retryCount": [-1, 3, "1", True, 1.5, []],
    "ttl": [-1, 6, "5", False, 0.5, []],
    "paused": ["true", 0, 1, []],
    "rateLimit": [0, -1, 1001, 1.5, "5", True, [], 1e300],
    "recover": ["false", 0, 1, {}],
    "api": [None, [], "x", {}, {"url": None}, {"url": 7}],
}
BAD_API: dict[str, list[Any]] = {
    "url": [
        *("", "x", "ftp://a.example/", "https://", "//a.example", "https:///x", "javascript:alert(1)"),
        *("https://u@a.example/", "https://u:p@a.example/", "https://a.example/#f", "https://a.example/a b"),
        *("https://a.example/\n", "https://a.example:0/", "https://a.example:99999/", "https://a..example/"),
        *(
            "https://[::1",
            "https://a.example\\b",
            "https://a.example/ü",
            f"{URL}?{'x' * 2048}",
            "https://é\ud800/",
        ),
    ],
    "type": ["GET", "post", 7, "DELETE"],
    "authType": ["Basic", "digest", 7],
    "oAuthGrantType": ["password", 7, ""],
    "oAuthTokenUrl": ["x", "ftp://a.example", 7, "https://u:p@a.example/"],
    "oAuthScopes": ["a", [""], ["a b"], ['a"b'], ["a\\b"], ["x" * 129], [7], ["a"] * 21],
    "credential": [7, [], "x"],
    "unknown": [1],
}


def cases(table: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    return [(field, value) for field, values in table.items() for value in values]


@pytest.mark.parametrize(("field", "value"), cases(GOOD))
def test_a_value_within_the_bounds_is_accepted(app: InMemoryApp, field: str, value: Any) -> None:
    response = app.call("PUT", CREATE, webhook_body(**{field: value}))
    assert response.status == 200, response.text
    webhook_id = response.json["_id"]
    assert app.call("PATCH", f"{CREATE}/{webhook_id}", {field: value}).status == 200


@pytest.mark.parametrize(("field", "value"), cases(BAD))
def test_a_value_beyond_the_bounds_is_named_with_the_rule(app: InMemoryApp, field: str, value: Any) -> None:
    response = app.call("PUT", CREATE, webhook_body(**{field: value}))
    assert response.status == 400
    assert response.json["error"] == "Bad Request"
    assert response.message.startswith(field)
    assert ": must " in response.message or ": is required" in response.message
    assert "Input should" not in response.message
    created = app.create()
    patched = app.call("PATCH", f"{CREATE}/{created['_id']}", {field: value})
    assert patched.status == (200 if (field, value) == ("api", {}) else 400)


@pytest.mark.parametrize(("field", "value"), cases(BAD_API))
def test_a_wrong_field_of_the_api_is_named_in_full(
    app: InMemoryApp, field: str, value: int | list[int | str] | str
) -> None:
    response = app.call("PUT", CREATE, webhook_body(api={"url": URL, field: value}))
    assert response.status == 400
    assert response.message.startswith(f"api.{field}")
    assert "Input should" not in response.message


@pytest.mark.parametrize(
    ("api", "named"),
    [
        ({"authType": "basic"}, ["api.credential.username", "api.credential.password"]),
        ({"authType": "basic", "credential": {"username": "u"}}, ["api.credential.password"]),
        (basic_api(credential={"username": "a:b", "password": "p"}), ["api.credential.username"]),
        (basic_api(credential={"username": "u", "password": "p", "token": "t"}), ["api.credential.token"]),
        *(
            (basic_api(credential={"username": "u", "password": text}), ["api.credential.password"])
            for text in NO_TEXTS
        ),
        ({"authType": "bearer", "credential": {"token": ""}}, ["api.credential.token: must not be empty"]),
        ({"authType": "bearer", "credential": {}}, ["api.credential.token: required"]),
        (
            {"authType": "api_key", "credential": {"keyName": "", "keyValue": ""}},
            ["api.credential.keyName: must not be empty", "api.credential.keyValue: must not be empty"],
        ),
        (
            {**OAUTH2, "credential": {"oauth2": {"clientId": "", "clientSecret": ""}}},
            ["oauth2.clientId: must not be empty", "oauth2.clientSecret: must not be empty"],
        ),
        (
            {"authType": "api_key", "credential": {"keyName": "Accept", "keyValue": "v"}},
            ["api.credential.keyName"],
        ),
        ({"authType": "bearer", "credential": {"token": "t\r\nX: y"}}, ["api.credential.token"]),
        ({"authType": "bearer", "credential": {"token": "ü"}}, ["api.credential.token"]),
        (
            {"authType": "api_key", "credential": {"keyName": "a b", "keyValue": "v"}},
            ["api.credential.keyName"],
        ),
        (
            {"authType": "api_key", "credential": {"keyName": "Webhook-Id", "keyValue": "v"}},
            ["api.credential.keyName"],
        ),
        (
            {"authType": "oauth2"},
            ["api.oAuthGrantType", "api.oAuthTokenUrl", "oauth2.clientId", "oauth2.clientSecret"],
        ),
        ({"credential": {"username": "u"}}, ["api.credential.username"]),
        ({"credential": {"password": "x" * 4097}}, ["api.credential.password"]),
        ({"credential": {"password": 7}}, ["api.credential.password"]),
        ({"credential": {"oauth2": 7}}, ["api.credential.oauth2"]),
        ({"credential": {"oauth2": {"secret": 7}}}, ["api.credential.oauth2.secret"]),
    ],
)
def test_a_credential_that_does_not_fit_is_named_and_never_quoted(
    app: InMemoryApp, api: dict[str, Any], named: list[str]
) -> None:
    response = app.call("PUT", CREATE, webhook_body(api={"url": URL, **api}))
    assert response.status == 400
    for name in named:
        assert name in response.message
    assert list(app.credentials.listed()) == []


def test_every_wrong_field_is_named_at_once(app: InMemoryApp) -> None:
    body = {"name": "", "ttl": 9, "extra": 1, "api": {"url": "x", "more": 2}, "successCodes": [1, "2"]}
    message = app.call("PUT", CREATE, body).message
    named = {problem.split(":")[0] for problem in message.split("; ")}
    assert named == {
        *("eventNames", "name", "ttl", "extra", "api.url", "api.more", "successCodes[0]", "successCodes[1]"),
    }


def test_no_message_grows_with_its_input(app: InMemoryApp) -> None:
    body = webhook_body(**{f"field {number} {'x' * 300}": 1 for number in range(100)})
    message = app.call("PUT", CREATE, body).message
    assert "and 80 more" in message
    assert len(message) < 4000


@pytest.mark.parametrize(
    "name", ["_id", "tenantId", "communityId", "disabledReason", "signingSecret", "event_names"]
)
def test_fields_that_callers_cannot_set_are_refused(app: InMemoryApp, name: str) -> None:
    response = app.call("PUT", CREATE, webhook_body(**{name: "x"}))
    assert (response.status, response.message) == (400, f"{name}: is not a field here, leave it out")


def test_a_field_name_other_than_text_is_named_as_invalid(app: InMemoryApp) -> None:
    response = app.call("PUT", CREATE, webhook_body(**{"\ud800": 1}))
    assert (response.status, response.message) == (
        400,
        "every field's name must be text that UTF-8 can write",
    )


def test_both_names_of_the_event_names_must_agree(app: InMemoryApp) -> None:
    assert app.call("PUT", CREATE, webhook_body(eventName="E_LOGIN")).status == 200
    response = app.call("PUT", CREATE, webhook_body(eventName="E_OTHER"))
    assert (response.status, response.message.split(":")[0]) == (400, "eventName")


@pytest.mark.parametrize("body", ["{}", '{"api": {}}'])
def test_an_empty_patch_is_refused_unless_it_names_a_field(app: InMemoryApp, body: str) -> None:
    created = app.create()
    response = app.call("PATCH", f"{CREATE}/{created['_id']}", body)
    assert response.status == (400 if body == "{}" else 200)


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("pIndex", [0, 5, 1_000_000_000, 2.0], [-1, "0", True, 0.5, 1_000_000_001, 10**30, []]),
        ("pSize", [1, 100, 5.0], [0, 101, "25", True, 1.5, {}]),
        ("tags", [[], ["a"], ["x"] * 20], ["a", [1], ["x"] * 21, [""], ["x" * 65]]),
    ],
)
def test_a_fetch_has_bounds(app: InMemoryApp, field: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert app.call("POST", FETCH, {field: value}).status == 200
    for value in bad:
        response = app.call("POST", FETCH, {field: value})
        assert response.status == 400
        assert response.message.startswith(field)


NO_OBJECTS = [
    *(
        "",
        " ",
        "{",
        "[]",
        "null",
        "1",
        '"x"',
        "[{}]",
        "{'a': 1}",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": 1e999}',
    ),
    *(
        '{"a": -Infinity}',
        '{"a": ' + "1" * 5000 + "}",
        "[" * 60_000,
        '{"a":' * 10_000,
        "\x00",
        "﻿{}",
        '{"a": 1}}',
    ),
    *(b"\xff\xfe", b"{\x80}", b"", json.dumps(webhook_body()).encode("utf-16")),
]


@pytest.mark.parametrize("body", [None, *NO_OBJECTS])
@pytest.mark.parametrize(("method", "path"), [("PUT", CREATE), ("PATCH", f"{CREATE}/{'0' * 24}")])
def test_a_body_other_than_a_json_object_is_a_400(
    app: InMemoryApp, method: str, path: str, body: bytes | str | None
) -> None:
    response = app.call(method, path, body)
    assert (response.status, response.message) == (400, "the body must be a JSON object")


NUMBERS = [
    "1222223333.00000001",
    "100200300400500.01",
    "1.000000000000000001",
    "12345678901234567.89",
    "1E-400",
]
NUMBERS += ["9007199254740993", str(2**256 - 1), "19.90", "136.0", "-0.10"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_in_a_query_is_stored_and_shown_as_that_number(app: InMemoryApp, number: str) -> None:
    query = f'[{{"amount":{number},"in":[{{"deep":[{number}]}}]}}]'
    body = json.dumps(webhook_body(query="?")).replace('"?"', query)
    created = app.call("PUT", CREATE, body)
    assert created.status == 200, created.text

    assert f'"query":{query}' in created.text
    assert f'"query":{query}' in app.call("POST", FETCH, {}).text
    one = f"{CREATE}/{created.json['_id']}"
    assert f'"query":{query}' in app.call("PATCH", one, {"ttl": 1}).text
    assert f'"query":[{{"a":{number}}}]' in app.call("PATCH", one, f'{{"query":[{{"a":{number}}}]}}').text


def test_a_body_in_base64_is_read(app: InMemoryApp) -> None:
    assert app.call("PUT", CREATE, json.dumps(webhook_body(name="ü")).encode()).json["name"] == "ü"


def test_malformed_base64_is_a_400(app: InMemoryApp) -> None:
    event = api_event("PUT", CREATE, headers=SYSTEM.headers(app.public_key), body=b"x")
    response = app.send({**event, "body": "no base64!"})
    assert (response.status, response.message) == (400, "the body must be a JSON object")


def test_the_last_value_of_a_repeated_name_counts(app: InMemoryApp) -> None:
    body = json.dumps(webhook_body())[:-1] + ', "name": "second"}'
    assert app.call("PUT", CREATE, body).json["name"] == "second"


def test_a_body_of_64_kib_is_read_and_one_byte_more_is_a_413(app: InMemoryApp) -> None:
    body = json.dumps(webhook_body())
    assert app.call("PUT", CREATE, body.ljust(64 * 1024)).status == 200
    response = app.call("PUT", CREATE, body.ljust(64 * 1024 + 1))
    assert (response.status, response.json["error"]) == (413, "Content Too Large")
    assert "65536" in response.message


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/merge-patch+json", 200),
        ("", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonp", 415),
        ("json", 415),
    ],
)
def test_a_content_type_must_be_json_or_absent(app: InMemoryApp, content_type: str, status: int) -> None:
    headers = {"Content-Type": content_type}
    response = app.call("PUT", CREATE, webhook_body(), headers=headers)
    assert response.status == status
    if status == 415:
        assert response.message == "the content type must be application/json"


@pytest.mark.parametrize("part", ["a b", "x" * 65, "ü", "a%20b", "a@b", "a:b"])
def test_ids_that_no_license_can_have_are_a_400_with_the_rule(app: InMemoryApp, part: str) -> None:
    response = app.call("PUT", f"/tenant/{part}/community/{part}/webhook", webhook_body())
    assert response.status == 400
    for name in ("tenantId", "communityId"):
        assert f"{name}: must be 1 to 64 letters, digits, '.', '_' or '-'" in response.message
