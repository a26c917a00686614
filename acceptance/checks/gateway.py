"""The API's edge: TLS, API Gateway's own responses, encoded paths, compression, throttling, traces."""

import gzip
import json
import socket
import ssl
import time
import uuid
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3

from acceptance.checks.check import Check, NotHere, expect
from acceptance.site import Site
from tests import plain_protocol as protocol

HTTP = urllib3.PoolManager(maxsize=64, retries=False, timeout=30)
BURST, THREADS = 600, 60
TRACE_SECONDS = 120
TOO_LARGE = 10 * 1024 * 1024 + 4096  # bytes: API Gateway takes 10 MB


def only_new_tls(site: Site) -> str:
    """TLS 1.2 and 1.3 are accepted, TLS 1.1 is refused."""
    host = urlsplit(site.service.api_url).hostname or ""
    accepted = [_handshake(host, version) for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)]
    expect(all(accepted), f"TLS 1.2 and 1.3: {accepted}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            old = _handshake(host, ssl.TLSVersion.TLSv1_1)
        except ssl.SSLError as error:
            if "NO_PROTOCOLS" in str(error) or "NO_CIPHERS" in str(error):
                raise NotHere(f"this machine's OpenSSL offers no TLS 1.1: {error.reason}") from None
            return f"{accepted[0]}, {accepted[1]} accepted; TLS 1.1 refused: {error.reason}"
        except OSError as error:  # the connection is closed in the middle of the handshake
            return f"{accepted[0]}, {accepted[1]} accepted; TLS 1.1 refused: {error}"
    raise AssertionError(f"{old} was accepted")


def _handshake(host: str, version: ssl.TLSVersion) -> str:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = version
    if version < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = version
    with (
        socket.create_connection((host, 443), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        return secured.version() or ""


def unknown_paths_and_head(site: Site) -> str:
    """Unknown paths and methods have the error's envelope; HEAD has no body."""
    url = site.service.api_url
    seen = []
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("PUT", "/tenant/acme/nowhere", 404),
        ("POST", "/publickeys", 405),
        ("DELETE", "/tenant/acme/community/main/webhooks/fetch", 405),
    ):
        response = HTTP.request(method, url + path)
        _expect_envelope(response, status, f"{method} {path}")
        seen.append(f"{method} {path} {status}")
    head = HTTP.request("HEAD", f"{url}/healthz")
    expect(
        (head.status, head.data) in ((200, b""), (405, b"")), f"HEAD /healthz: {head.status} {head.data!r}"
    )
    return f"{', '.join(seen)}, HEAD /healthz {head.status}"


def too_large_body(site: Site) -> str:
    """A body that API Gateway refuses by itself gets the template's response."""
    path = "/tenant/acme/community/main/webhook"
    response = HTTP.request("PUT", site.service.api_url + path, body=b" " * TOO_LARGE)
    _expect_envelope(response, 413, "a body of 10 MB")
    return f"413 {response.json()['message']}"


def _expect_envelope(response: Any, status: int, asked: str) -> None:
    expect(response.status == status, f"{asked}: {response.status} {response.data[:200]!r}")
    expect(set(response.json()) == {"statusCode", "error", "message"}, f"{asked}: {response.data[:200]!r}")
    expect(response.headers.get("x-request-id"), f"{asked}: no x-request-id")


def encoded_slashes(site: Site) -> str:
    """`%2F` in a key's id and in an event's name reach the functions."""
    caller = site.caller
    key_id = _key_with_a_slash()
    response = caller.call("DELETE", f"/servicekey/{quote(key_id, safe='')}")
    expect(
        response.status == 404 and b"no such path" not in response.body,
        f"{response.status} {response.body!r}",
    )
    name = f"a/b c/{uuid.uuid4().hex[:8]}"
    with site.receiver() as receiver:
        site.register(receiver, name=name)
        sealed = protocol.seal(caller.shared_key, json.dumps({"n": 1}))
        published = caller.call("PUT", f"event/{quote(name, safe='')}", {"data": sealed})
        expect(published.status == 202, f"PUT event: {published.status} {published.body!r}")
        [callback] = receiver.wait_for(1, seconds=60 * site.patience)
    expect(json.loads(callback.body)["type"] == name, callback.body)
    return (
        f"DELETE /servicekey/{quote(key_id, safe='')} was looked up and not found; the event {name!r} arrived"
    )


def _key_with_a_slash() -> str:
    while True:
        key = protocol.new_key_pair().public
        if "/" in key:
            return key


def compressed(site: Site) -> str:
    """Large responses are compressed for clients that ask for it."""
    url = f"{site.service.api_url}/openapi.json"
    packed = HTTP.request("GET", url, headers={"Accept-Encoding": "gzip"}, decode_content=False)
    plain = HTTP.request("GET", url, headers={"Accept-Encoding": "identity"})
    expect(
        packed.headers.get("content-encoding") == "gzip",
        f"content-encoding: {packed.headers.get('content-encoding')}",
    )
    expect(gzip.decompress(packed.data) == plain.data, "the two responses differ")
    return f"/openapi.json: {len(packed.data):,} bytes instead of {len(plain.data):,}"


def throttled(site: Site) -> str:
    """Above the limit, requests get 429 with Retry-After, and nothing breaks."""
    url = f"{site.service.api_url}/publickeys"
    with ThreadPoolExecutor(THREADS) as pool:
        responses = list(pool.map(lambda _: HTTP.request("GET", url), range(BURST)))
    counts = Counter(response.status for response in responses)
    refused = next((response for response in responses if response.status == 429), None)
    if refused is None:
        raise AssertionError(f"{BURST} requests at once: {dict(counts)}")
    expect(set(counts) <= {200, 429}, dict(counts))
    _expect_envelope(refused, 429, "a throttled request")
    expect(refused.headers.get("Retry-After") == "1", f"Retry-After: {refused.headers.get('Retry-After')}")
    time.sleep(2)  # so that the next check is not throttled
    return f"{BURST} requests at once: {counts[200]} had 200, {counts[429]} had 429 with Retry-After 1"


def traced(site: Site) -> str:
    """X-Ray has traces of the API and its functions."""
    xray = site.account.client("xray")
    services: set[str] = set()

    def found() -> bool:
        pages = xray.get_paginator("get_trace_summaries").paginate(
            StartTime=site.began, EndTime=time.time(), FilterExpression=f'service("{_service(site)}")'
        )
        for page in pages:
            for trace in page["TraceSummaries"]:
                services.update(each.get("Name", "") for each in trace.get("ServiceIds", []))
        return any(name.startswith(site.names.service) for name in services)

    expect(
        site.until(found, seconds=TRACE_SECONDS, pause=5),
        f"no trace of {_service(site)} after {TRACE_SECONDS} s",
    )
    return f"traces through {', '.join(sorted(services)[:4])}"


def _service(site: Site) -> str:
    """Return the name that the API has in X-Ray."""
    return f"{site.names.service}/{urlsplit(site.service.api_url).path.strip('/')}"


CHECKS = (
    Check("TLS 1.2 and newer only", only_new_tls, "the emulator speaks no TLS"),
    Check("unknown paths, wrong methods, HEAD", unknown_paths_and_head),
    Check("API Gateway's own error has our body", too_large_body, "the emulator has no limit of the body"),
    Check("%2F in a key's id and an event's name", encoded_slashes),
    Check("large responses are compressed", compressed, "the emulator does not compress"),
    Check(
        "requests above the limit get 429",
        throttled,
        "the emulator has no gateway responses, and its limit is high",
    ),
    Check("X-Ray has traces", traced, "the emulator has no X-Ray"),
)
