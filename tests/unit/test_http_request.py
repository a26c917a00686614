"""Requests that must not be sent, and secrets that their text forms must not show."""

import pytest

from webhooks.domain.http import ClientCredentials, HttpRequest


def request(headers: dict[str, str], *, method: str = "POST") -> HttpRequest:
    return HttpRequest(method, "https://example.com/", headers, b"{}")


def test_an_ordinary_request_has_no_fault() -> None:
    assert request({"Content-Type": "application/json", "X-Key": "a b\tc é"}).fault is None


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\n", "\r", "\x00", "\x7f", "\u2028", "€", "\ud800"])
def test_a_header_value_that_could_break_the_message_is_a_fault(value: str) -> None:
    assert request({"X-Key": value}).fault == "unsafe-header"


@pytest.mark.parametrize("name", ["", "X Key", "X-Key:", "X\r\nY", "Ü", "X\x00", "(x)"])
def test_a_header_name_that_is_no_token_is_a_fault(name: str) -> None:
    assert request({name: "x"}).fault == "unsafe-header"


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "Connection", "EXPECT", "upgrade"]
)
def test_a_header_that_frames_the_message_is_a_fault(name: str) -> None:
    assert request({name: "x"}).fault == "reserved-header"


@pytest.mark.parametrize("method", ["", "PO ST", "POST\r\n", "GET / HTTP/1.1"])
def test_a_method_that_is_no_token_is_a_fault(method: str) -> None:
    assert request({}, method=method).fault == "unsafe-method"


def test_secrets_are_in_no_repr() -> None:
    client = ClientCredentials("https://example.com/token", "client", "planted-secret")
    sent = HttpRequest("POST", "https://example.com/", {"Authorization": "planted-secret"}, b"planted-secret")

    assert "planted-secret" not in f"{client!r} {sent!r}"
