"""An endpoint that echoes its request puts no secret of its webhook into the delivery log."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from tests.factories import BASE, SCOPE, InMemoryApp, webhook_body
from tests.fakes.endpoint import ScriptedEndpoint, ScriptedTokens, http_response, lead
from tests.fakes.keys import FakeMaster
from webhooks.domain.delivery import Delivery
from webhooks.domain.http import HttpResponse
from webhooks.domain.redaction import REDACTED, redact
from webhooks.domain.webhook import Credential
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.callback_request import CallbackSigner

URL = "https://hooks.example.com/in"
OAUTH = {
    "oAuthGrantType": "client_credentials",
    "oAuthTokenUrl": "https://login.example.com/token",
    "oAuthScopes": ["a"],
}
BASIC = base64.b64encode(b"ann:planted-password").decode()


@pytest.mark.parametrize(
    ("api", "secrets"),
    [
        (
            {"authType": "basic", "credential": {"username": "ann", "password": "planted-password"}},
            ["planted-password", BASIC],
        ),
        ({"authType": "bearer", "credential": {"token": "planted-token"}}, ["planted-token"]),
        (
            {"authType": "api_key", "credential": {"keyName": "X-Key", "keyValue": "planted-value"}},
            ["planted-value"],
        ),
        (
            {
                "authType": "oauth2",
                "credential": {"oauth2": {"clientId": "id", "clientSecret": "planted-secret"}},
                **OAUTH,
            },
            ["planted-secret", "token 1"],
        ),
    ],
)
@pytest.mark.parametrize("cut", [0, 1, 3])
def test_the_excerpt_of_an_echoed_request_has_no_secrets(
    api: dict[str, Any], secrets: list[str], cut: int
) -> None:
    app, endpoint = InMemoryApp(), ScriptedEndpoint()
    response = app.call("PUT", f"{BASE}/webhook", webhook_body(api={"url": URL, **api}))
    [webhook] = app.subscriptions.page(SCOPE, index=0, size=1, tags=()).webhooks
    attempts = Attempts(tokens=ScriptedTokens(), monotonic=app.clock, default_ttl=5)
    signer = CallbackSigner(service=app.keys, signing=app.signing_keys, master=FakeMaster(b"m" * 64))
    assert webhook.credential is not None
    credential = app.credentials.read(webhook.credential)
    delivery = Delivery(id="d", event_id="e", event_name="E_LOGIN", log_time=0, body="{}")
    request = signer.request(webhook, delivery, now=app.clock.now)
    for secret in secrets:
        said = f"ann, X-Key is wrong: {secret} and {secret}"
        endpoint.script(URL, http_response(500, excerpt=said[: len(said) - cut]))
        outcome = lead(attempts.send(webhook, request, credential=credential), endpoint)

        assert isinstance(outcome, HttpResponse)
        assert outcome.excerpt == f"ann, X-Key is wrong: {REDACTED} and {REDACTED}"

        redirect = replace(http_response(308), location=f"https://www.example.com/{secret}/in")
        endpoint.script(URL, redirect)
        outcome = lead(attempts.send(webhook, request, credential=credential), endpoint)

        assert isinstance(outcome, HttpResponse)
        assert outcome.location == f"https://www.example.com/{REDACTED}/in"
    assert response.status == 200


def test_a_value_too_short_to_tell_from_text_is_left() -> None:
    assert redact("a secret", ["a", "", "sec"]) == "a secret"


def test_a_secret_within_another_is_redacted_with_it() -> None:
    assert redact("Bearer abcdef abcd", ["abcd", "abcdef"]) == f"Bearer {REDACTED} {REDACTED}"


def test_a_credential_shows_none_of_its_values() -> None:
    credential = Credential(password="planted", token="planted", key_value="planted", client_secret="planted")
    assert "planted" not in repr(credential)


@pytest.mark.parametrize(
    "echoed",
    [
        "sk/live+9f8a&\u00fc",
        "sk\\/live+9f8a&\\u00fc",
        "sk/live+9f8a&\\u00fc",
        "sk%2Flive%2B9f8a%26%C3%BC",
        "sk%2flive%2b9f8a%26%c3%bc",
        "sk/live%2B9f8a%26%C3%BC",
        "sk/live+9f8a&amp;\u00fc",
    ],
)
def test_a_secret_is_redacted_as_json_urls_and_html_write_it(echoed: str) -> None:
    assert redact(f"key={echoed};", ["sk/live+9f8a&\u00fc"]) == f"key={REDACTED};"
