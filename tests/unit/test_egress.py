"""The address guard with a resolver that the test holds: no name is looked up, nothing is connected to."""

import socket
import threading
from collections.abc import Iterable
from typing import Any

import pytest

from webhooks.adapters.http.egress_guard import EgressGuard, EgressRefusedError, HostUnresolvedError
from webhooks.adapters.http.resolver import Resolve
from webhooks.domain.egress_policy import EgressPolicy, parse_policy

PUBLIC = "93.184.215.14"


class Zone:
    """A resolver that answers from a table; a list of answers is given one by one."""

    def __init__(self, **hosts: list[list[str]]) -> None:
        self.hosts = {name.replace("_", "."): responses for name, responses in hosts.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, _port: None, **_kind: Any) -> list[tuple[object, ...]]:
        self.asked.append(host)
        responses = self.hosts.get(host)
        if responses is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return as_getaddrinfo(responses.pop(0) if len(responses) > 1 else responses[0])


def as_getaddrinfo(addresses: Iterable[str]) -> list[tuple[object, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]


def guard(zone: Resolve, **policy: Any) -> EgressGuard:
    return EgressGuard(EgressPolicy(**policy), resolve=zone)


def test_a_public_host_is_a_target_with_its_vetted_addresses() -> None:
    zone = Zone(example_com=[[PUBLIC, "2606:4700::1111"]])

    target = guard(zone).target("https://Example.com/hook", seconds=1)

    assert target.addresses == (PUBLIC, "2606:4700::1111")
    assert target.url.host == "example.com"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "loopback"),
        ("10.0.0.1", "private"),
        ("169.254.169.254", "metadata"),
        ("::1", "loopback"),
        ("::ffff:169.254.169.254", "metadata"),
        ("64:ff9b::a00:1", "nat64-embedded"),
        ("2002:7f00:1::", "6to4"),
        ("fe80::1%eth0", "link-local"),
    ],
)
def test_a_host_with_a_private_address_is_refused_by_name(address: str, reason: str) -> None:
    zone = Zone(inside_example=[[address]])

    with pytest.raises(EgressRefusedError) as refused:
        guard(zone).check("https://inside.example/")

    assert refused.value.reason == reason
    assert str(refused.value) == f"the host inside.example resolves to an address that is refused ({reason})"


@pytest.mark.parametrize("literal", ["10.20.30.40", "[fd00::20]"])
def test_an_address_in_the_url_is_named_as_given(literal: str) -> None:
    with pytest.raises(EgressRefusedError) as refused:
        guard(Zone()).check(f"https://{literal}/")

    assert str(refused.value) == f"the address {literal.strip('[]')} is refused (private)"


@pytest.mark.parametrize("addresses", [[PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC]])
def test_one_refused_address_refuses_the_host_and_no_address_is_named(addresses: list[str]) -> None:
    with pytest.raises(EgressRefusedError, match=r"mixed\.example .* \(private\)") as refused:
        guard(Zone(mixed_example=[addresses])).check("https://mixed.example/")

    assert not any(address in str(refused.value) for address in addresses)


@pytest.mark.parametrize("url", ["ftp://example.com/", "xxxxx"])
@pytest.mark.parametrize(
    ("allow_http", "schemes"), [(False, "https://"), (True, "https:// or http://")], ids=["https", "http"]
)
def test_the_schemes_that_the_deployment_allows_are_named(url: str, allow_http: bool, schemes: str) -> None:
    with pytest.raises(EgressRefusedError) as refused:
        guard(Zone(), allow_http=allow_http).check(url)

    assert (refused.value.reason, str(refused.value)) == ("scheme", f"the URL must start with {schemes}")


@pytest.mark.parametrize("spelling", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"])
def test_a_literal_address_is_vetted_without_a_lookup(spelling: str) -> None:
    zone = Zone()

    with pytest.raises(EgressRefusedError) as refused:
        guard(zone).check(f"https://{spelling}/")

    assert refused.value.reason == "loopback"
    assert zone.asked == []


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1"])
def test_an_odd_spelling_is_vetted_by_its_resolved_address(spelling: str) -> None:
    # Given the system's own reading of such spellings, which asks no server
    def resolve(host: str, _port: None, **_kind: Any) -> list[tuple[Any, ...]]:
        return as_getaddrinfo([socket.inet_ntoa(socket.inet_aton(host))])

    with pytest.raises(EgressRefusedError) as refused:
        guard(resolve).check(f"https://{spelling}/")

    assert refused.value.reason == "loopback"


def test_a_mapped_public_address_is_connected_to_as_ipv4() -> None:
    target = guard(Zone(mapped_example=[[f"::ffff:{PUBLIC}"]])).target("https://mapped.example/", seconds=1)

    assert target.addresses == (PUBLIC,)


def test_an_address_that_changes_between_save_and_call_is_vetted_again() -> None:
    # Given a host that was public when its webhook was saved
    now = [0.0]
    zone = Zone(rebound_example=[[PUBLIC], ["127.0.0.1"]])
    vetted = EgressGuard(EgressPolicy(), resolve=zone, clock=lambda: now[0])
    vetted.check("https://rebound.example/")

    # When it resolves anew for a delivery, a minute later
    now[0] = 60.0

    # Then the new address is refused
    with pytest.raises(EgressRefusedError) as refused:
        vetted.target("https://rebound.example/", seconds=1)
    assert refused.value.reason == "loopback"


def test_a_burst_of_deliveries_looks_a_host_up_once() -> None:
    zone = Zone(example_com=[[PUBLIC]])
    busy = guard(zone)

    for _ in range(10):
        busy.target("https://example.com/", seconds=1)

    assert zone.asked == ["example.com"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "scheme"),
        ("gopher://example.com/", "scheme"),
        ("https://example.com:8443/", "port"),
        ("https://me:secret@example.com/", "user-info"),
        ("https://exa mple.com/", "url"),
    ],
)
def test_a_url_that_the_policy_forbids_is_refused_without_a_lookup(url: str, reason: str) -> None:
    zone = Zone(example_com=[[PUBLIC]])

    with pytest.raises(EgressRefusedError) as refused:
        guard(zone).check(url)

    assert refused.value.reason == reason
    assert "secret" not in str(refused.value)
    assert zone.asked == []


def test_a_policy_may_allow_http_ports_and_networks() -> None:
    policy = parse_policy(allow_http="true", ports="*", networks="127.0.0.0/8")
    allowed = EgressGuard(policy, resolve=Zone(local_example=[["127.0.0.2"]]))

    assert allowed.target("http://local.example:8080/", seconds=1).addresses == ("127.0.0.2",)
    with pytest.raises(EgressRefusedError):
        allowed.check("http://10.0.0.1:8080/")


def test_a_host_without_an_address_is_named() -> None:
    with pytest.raises(HostUnresolvedError, match=r"nowhere\.example has no address"):
        guard(Zone()).check("https://nowhere.example/")


def test_a_hanging_lookup_costs_time_only_for_its_own_host() -> None:
    # Given a resolver that hangs for one host
    release = threading.Event()

    def resolve(host: str, _port: None, **_kind: Any) -> list[tuple[Any, ...]]:
        if host == "hangs.example":
            release.wait(5)
        return as_getaddrinfo([PUBLIC])

    hanging = guard(resolve)

    # When it is asked for over and over, then each time ends on time, and only one lookup hangs
    try:
        for _ in range(5):
            with pytest.raises(HostUnresolvedError, match="did not resolve within"):
                hanging.target("https://hangs.example/", seconds=0.02)
        assert [thread.name for thread in threading.enumerate()].count("lookup") == 1
        assert hanging.target("https://example.com/", seconds=1).addresses == (PUBLIC,)
    finally:
        release.set()


def test_hanging_lookups_are_bounded_in_number() -> None:
    release = threading.Event()

    def resolve(host: str, _port: None, **_kind: Any) -> list[tuple[Any, ...]]:
        release.wait(5)
        return as_getaddrinfo([PUBLIC])

    flooded = guard(resolve)
    try:
        for number in range(128):
            with pytest.raises(HostUnresolvedError, match="did not resolve"):
                flooded.target(f"https://h{number}.example/", seconds=0)
        with pytest.raises(HostUnresolvedError, match="too many"):
            flooded.target("https://one-more.example/", seconds=1)
    finally:
        release.set()
