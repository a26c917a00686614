"""Any URL, headers and response of an endpoint are read or refused by name; no private address is reached."""

import socket
import string
from ipaddress import IPv4Address, ip_address
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.calls import calling, post
from tests.receiver import Receiver, raw
from webhooks.adapters.http.egress_guard import EgressGuard, EgressRefusedError
from webhooks.adapters.http.response_reader import excerpt, unpacked
from webhooks.domain.egress_policy import EgressPolicy, refusal
from webhooks.domain.endpoint_url import InvalidUrlError, parse_url
from webhooks.domain.http import HttpRequest, HttpResponse, NoResponse

INSIDE = "10.0.0.1"


def inside(_host: str, _port: None, **_kind: Any) -> list[tuple[Any, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (INSIDE, 0))]


URLS = st.one_of(
    st.text(),
    st.text(string.printable).map("https://{}".format),
    st.tuples(st.ip_addresses(), st.integers(0, 70_000)).map(
        lambda pair: f"https://{f'[{pair[0]}]' if pair[0].version == 6 else pair[0]}:{pair[1]}/"
    ),
    st.from_regex(
        r"https?://([a-z0-9.\-]{1,20}@)?[a-z0-9.\[\]:%_\-]{1,30}(:[0-9]{0,6})?(/[!-~]{0,20})?", fullmatch=True
    ),
)


@given(URLS)
@settings(max_examples=500)
def test_no_url_gets_past_the_guard_to_a_private_address(url: str) -> None:
    guard = EgressGuard(EgressPolicy(allow_http=True, ports=None), resolve=inside)
    try:
        target = guard.target(url, seconds=1)
    except EgressRefusedError:
        return
    assert all(refusal(ip_address(address)) is None for address in target.addresses)
    assert INSIDE not in target.addresses


@given(URLS)
@settings(max_examples=500)
def test_a_parsed_url_is_one_line_of_ascii_with_the_same_meaning(url: str) -> None:
    try:
        parsed = parse_url(url)
    except InvalidUrlError:
        return
    assert parsed.text.isascii()
    assert not set(parsed.text) & set(string.whitespace)
    assert parse_url(parsed.text) == parsed


@given(st.ip_addresses(v=4))
def test_a_refused_ipv4_address_is_refused_in_all_its_ipv6_forms(
    address: IPv4Address,
) -> None:
    assert refusal(ip_address(f"::ffff:{address}")) == refusal(address)
    assert (refusal(ip_address(f"64:ff9b::{address}")) is None) == (refusal(address) is None)
    assert refusal(ip_address(f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1")) == "6to4"


@given(st.text(), st.text())
@settings(max_examples=300)
def test_valid_headers_are_one_line_each(name: str, value: str) -> None:
    request = HttpRequest("POST", "https://example.com/", {name: value}, b"")

    if request.fault is None:
        assert len(f"{name}: {value}".encode("latin-1").splitlines()) == 1 or "\x85" in value
        assert not set(name + value) & set("\r\n\0")


@given(st.binary(max_size=3_000), st.sampled_from(["", "gzip", "deflate", "br", "gzip, gzip"]))
def test_an_excerpt_is_text_within_its_limit(body: bytes, encoding: str) -> None:
    text = excerpt(unpacked(body, encoding, limit=1_024), limit=1_024)

    assert len(text.encode()) <= 1_024


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"HTTP/1.1 200 OK\r\n",
                b"HTTP/1.1 100 Continue\r\n\r\n",
                b"HTTP/1.0 500 \r\n",
                b"Content-Length: 5\r\n",
                b"Content-Length: -5\r\n",
                b"Content-Encoding: gzip\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"Transfer-Encoding: gzip, chunked\r\n",
                b"Connection: close\r\n",
                b"Keep-Alive: timeout=99999999999\r\n",
                b"Retry-After: \xff\r\n",
                b"\r\n",
                b"5\r\nhello\r\n",
                b"0\r\n\r\n",
                b"-1\r\n",
                b"ffffffffffffffffffff\r\n",
            ]
        ),
        st.binary(max_size=40),
    ),
    max_size=12,
).map(b"".join)


@given(st.lists(LINES, min_size=1, max_size=3))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_are_a_response_or_a_reason(responses: list[bytes]) -> None:
    with Receiver() as receiver, calling() as endpoint:
        receiver.script(*map(raw, responses))
        for _ in responses:
            got = endpoint.send(post(receiver.url), seconds=2)
            assert isinstance(got, HttpResponse | NoResponse)
            if isinstance(got, HttpResponse):
                assert 100 <= got.status <= 999
                assert len(got.excerpt.encode()) <= 1_024
