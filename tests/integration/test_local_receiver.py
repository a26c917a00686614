"""The sample receiver over HTTP: it verifies, counts the sample endpoints' attempts, and ends their outage."""

import json
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import urllib3

from local.receiver import DemoReceiver
from local.verification import STANDARD, Verification, Verifier

LATE = {"id": "an event", "timestamp": "2026-01-15T09:30:00.250Z"}


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A receiver whose endpoints are down since before LATE; a signature `good` verifies."""

    def verify(_: Verifier, url: str, headers: Mapping[str, str], body: bytes) -> Verification:
        is_good = headers.get("webhook-signature") == "good"
        return Verification((STANDARD,) if is_good else (), () if is_good else ("wrong",))

    monkeypatch.setattr(Verifier, "verify", verify)
    known = tmp_path / "known.json"
    known.write_text(json.dumps({"downSince": "2026-01-15T09:00:00.000Z"}))
    with DemoReceiver(0, known) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def call(
    method: str, url: str, body: Any = None, *, signature: str = "good", expected: int = HTTPStatus.OK
) -> Any:
    headers = {"webhook-signature": signature}
    response = urllib3.request(method, url, json=body, headers=headers, retries=False, timeout=5)
    assert response.status == expected
    return response.json() if response.headers["content-type"] == "application/json" else None


def test_a_callback_of_the_demo_is_kept(receiver: str) -> None:
    assert call("POST", f"{receiver}/hooks/orders", LATE) == {"received": True}

    [kept] = call("GET", f"{receiver}/callbacks")
    assert json.loads(kept["body"]) == LATE
    assert call("GET", f"{receiver}/counts") == {}


def test_a_callback_of_a_sample_is_counted_and_not_kept(receiver: str) -> None:
    call("POST", f"{receiver}/quick/points", LATE)
    call("POST", f"{receiver}/quick/points", LATE)

    assert call("GET", f"{receiver}/counts") == {"/quick/points": 2}
    assert call("GET", f"{receiver}/callbacks") == []


def test_a_callback_that_does_not_verify_is_a_401(receiver: str) -> None:
    answer = call(
        "POST", f"{receiver}/quick/points", LATE, signature="wrong", expected=HTTPStatus.UNAUTHORIZED
    )

    assert answer == {"error": "the signature does not verify"}


def test_an_outage_ends_and_begins_when_asked(receiver: str) -> None:
    call("POST", f"{receiver}/down/tax", LATE, expected=HTTPStatus.SERVICE_UNAVAILABLE)

    assert call("PUT", f"{receiver}/up") == {"isUp": True}
    call("POST", f"{receiver}/down/tax", LATE)

    assert call("PUT", f"{receiver}/down") == {"isUp": False}
    call("POST", f"{receiver}/down/tax", LATE, expected=HTTPStatus.SERVICE_UNAVAILABLE)


def test_it_is_a_token_endpoint_too(receiver: str) -> None:
    token = call("POST", f"{receiver}/token", {"grant_type": "client_credentials"})

    assert (token["token_type"], bool(token["access_token"])) == ("bearer", True)


def test_other_paths_are_refused(receiver: str) -> None:
    call("GET", f"{receiver}/", expected=HTTPStatus.NOT_FOUND)
    call("PUT", f"{receiver}/hooks/orders", LATE, expected=HTTPStatus.NOT_FOUND)
