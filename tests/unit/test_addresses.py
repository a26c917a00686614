"""The table of refused addresses, both sides of each edge, and the deployment's policy."""

from ipaddress import IPv4Network, IPv6Network, ip_address

import pytest

from webhooks.domain.egress_policy import EgressPolicy, parse_policy, refusal

# first and last address of a range with its reason; then the addresses beside it with theirs
EDGES = [
    ("0.0.0.0", "0.255.255.255", "unspecified", None, ("1.0.0.0", None)),
    ("10.0.0.0", "10.255.255.255", "private", ("9.255.255.255", None), ("11.0.0.0", None)),
    ("100.64.0.0", "100.127.255.255", "shared", ("100.63.255.255", None), ("100.128.0.0", None)),
    ("127.0.0.0", "127.255.255.255", "loopback", ("126.255.255.255", None), ("128.0.0.0", None)),
    ("169.254.0.0", "169.254.255.255", "link-local", ("169.253.255.255", None), ("169.255.0.0", None)),
    (
        "169.254.169.254",
        "169.254.169.254",
        "metadata",
        ("169.254.169.253", "link-local"),
        ("169.254.169.255", "link-local"),
    ),
    (
        "169.254.170.2",
        "169.254.170.2",
        "metadata",
        ("169.254.170.1", "link-local"),
        ("169.254.170.3", "link-local"),
    ),
    (
        "169.254.170.23",
        "169.254.170.23",
        "metadata",
        ("169.254.170.22", "link-local"),
        ("169.254.170.24", "link-local"),
    ),
    ("172.16.0.0", "172.31.255.255", "private", ("172.15.255.255", None), ("172.32.0.0", None)),
    ("192.0.0.0", "192.0.0.255", "protocol", ("191.255.255.255", None), ("192.0.1.0", None)),
    ("192.0.2.0", "192.0.2.255", "documentation", ("192.0.1.255", None), ("192.0.3.0", None)),
    ("192.88.99.0", "192.88.99.255", "6to4-relay", ("192.88.98.255", None), ("192.88.100.0", None)),
    ("192.168.0.0", "192.168.255.255", "private", ("192.167.255.255", None), ("192.169.0.0", None)),
    ("198.18.0.0", "198.19.255.255", "benchmarking", ("198.17.255.255", None), ("198.20.0.0", None)),
    ("198.51.100.0", "198.51.100.255", "documentation", ("198.51.99.255", None), ("198.51.101.0", None)),
    ("203.0.113.0", "203.0.113.255", "documentation", ("203.0.112.255", None), ("203.0.114.0", None)),
    ("224.0.0.0", "239.255.255.255", "multicast", ("223.255.255.255", None), ("240.0.0.0", "reserved")),
    (
        "240.0.0.0",
        "255.255.255.254",
        "reserved",
        ("239.255.255.255", "multicast"),
        ("255.255.255.255", "broadcast"),
    ),
    ("::", "::", "unspecified", None, ("::1", "loopback")),
    ("::1", "::1", "loopback", ("::", "unspecified"), ("::2", "v4-compatible")),
    ("::2", "::ffff:ffff", "v4-compatible", ("::1", "loopback"), ("::1:0:0", "reserved")),
    ("::1:0:0", "::fffe:ffff:ffff", "reserved", ("::ffff:ffff", "v4-compatible"), None),
    ("::1:0:0:0", "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", "reserved", None, None),
    (
        "64:ff9b:0:0:0:1::",
        "64:ff9b:0:ffff:ffff:ffff:ffff:ffff",
        "reserved",
        ("64:ff9b::255.255.255.255", "nat64-embedded"),
        ("64:ff9b:1::", "nat64-local"),
    ),
    (
        "64:ff9b:1::",
        "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        "nat64-local",
        ("64:ff9b:0:ffff:ffff:ffff:ffff:ffff", "reserved"),
        ("64:ff9b:2::", "reserved"),
    ),
    (
        "64:ff9b:2::",
        "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "reserved",
        ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "nat64-local"),
        ("100::", "discard"),
    ),
    (
        "100::",
        "100::ffff:ffff:ffff:ffff",
        "discard",
        ("ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
        ("100:0:0:1::", "unassigned"),
    ),
    (
        "100:0:0:1::",
        "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "unassigned",
        ("100::ffff:ffff:ffff:ffff", "discard"),
        ("2000::", None),
    ),
    (
        "2001::",
        "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
        "teredo",
        ("2000:ffff::", None),
        ("2001:1::", "protocol"),
    ),
    (
        "2001:1::",
        "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
        "protocol",
        ("2001:0:ffff::", "teredo"),
        ("2001:200::", None),
    ),
    (
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "documentation",
        ("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", None),
        ("2001:db9::", None),
    ),
    (
        "2002::",
        "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "6to4",
        ("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
        ("2003::", None),
    ),
    (
        "3fff::",
        "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
        "documentation",
        ("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
        ("3fff:1000::", None),
    ),
    (
        "4000::",
        "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "unassigned",
        ("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
        ("5f00::", "segment-routing"),
    ),
    (
        "5f00::",
        "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "segment-routing",
        ("5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unassigned"),
        ("5f01::", "unassigned"),
    ),
    (
        "5f01::",
        "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "unassigned",
        ("5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "segment-routing"),
        ("fc00::", "private"),
    ),
    (
        "fc00::",
        "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "private",
        ("fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unassigned"),
        ("fe00::", "unassigned"),
    ),
    (
        "fd00:ec2::254",
        "fd00:ec2::254",
        "metadata",
        ("fd00:ec2::253", "private"),
        ("fd00:ec2::255", "private"),
    ),
    ("fd00:ec2::23", "fd00:ec2::23", "metadata", ("fd00:ec2::22", "private"), ("fd00:ec2::24", "private")),
    (
        "fe00::",
        "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "unassigned",
        ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "private"),
        ("fe80::", "link-local"),
    ),
    (
        "fe80::",
        "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "link-local",
        ("fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unassigned"),
        ("fec0::", "site-local"),
    ),
    (
        "fec0::",
        "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "site-local",
        ("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local"),
        ("ff00::", "multicast"),
    ),
    (
        "ff00::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "multicast",
        ("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "site-local"),
        None,
    ),
]


@pytest.mark.parametrize(
    ("first", "last", "reason", "before", "after"), EDGES, ids=[edge[0] for edge in EDGES]
)
def test_a_range_is_refused_from_its_first_to_its_last_address(
    first: str,
    last: str,
    reason: str,
    before: tuple[str, str | None] | None,
    after: tuple[str, str | None] | None,
) -> None:
    assert refusal(ip_address(first)) == reason
    assert refusal(ip_address(last)) == reason
    for neighbour in filter(None, (before, after)):
        assert (neighbour[0], refusal(ip_address(neighbour[0]))) == neighbour


IPV4_EDGES = [edge for edge in EDGES if "." in edge[0]]


@pytest.mark.parametrize(
    ("first", "last", "reason", "before", "after"), IPV4_EDGES, ids=[e[0] for e in IPV4_EDGES]
)
def test_a_mapped_address_is_judged_by_its_ipv4_address(
    first: str, last: str, reason: str, before: tuple[str, str | None] | None, after: tuple[str, str | None]
) -> None:
    assert refusal(ip_address(f"::ffff:{first}")) == reason
    assert refusal(ip_address(f"::ffff:{last}")) == reason
    for address, expected in filter(None, (before, after)):
        assert refusal(ip_address(f"::ffff:{address}")) == expected


@pytest.mark.parametrize(
    ("first", "last", "_reason", "before", "after"), IPV4_EDGES, ids=[e[0] for e in IPV4_EDGES]
)
def test_a_nat64_address_is_judged_by_its_ipv4_address(
    first: str, last: str, _reason: str, before: tuple[str, str | None] | None, after: tuple[str, str | None]
) -> None:
    assert refusal(ip_address(f"64:ff9b::{first}")) == "nat64-embedded"
    assert refusal(ip_address(f"64:ff9b::{last}")) == "nat64-embedded"
    for address, expected in filter(None, (before, after)):
        assert refusal(ip_address(f"64:ff9b::{address}")) == (expected and "nat64-embedded")


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "52.94.236.248",
        "198.17.0.1",
        "2600:1f18::1",
        "2a00:1450:4001:80b::200e",
        "2606:4700::1111",
    ],
)
def test_the_internet_is_allowed(address: str) -> None:
    assert refusal(ip_address(address)) is None


@pytest.mark.parametrize("address", ["200::1", "400::1", "4000::1", "8000::1", "fe00::1"])
def test_ipv6_outside_global_unicast_is_refused_without_a_table_entry(address: str) -> None:
    assert refusal(ip_address(address)) == "unassigned"


@pytest.mark.parametrize("zone", ["fe80::1%eth0", "fe80::1%1"])
def test_a_zone_does_not_hide_a_link_local_address(zone: str) -> None:
    assert refusal(ip_address(zone)) == "link-local"


def test_an_allowed_network_overrides_the_table_for_itself_alone() -> None:
    policy = EgressPolicy(
        networks=(IPv4Network("10.1.0.0/16"), IPv6Network("fd00::/16"), IPv6Network("4000::/16"))
    )

    assert policy.refusal(ip_address("10.1.2.3")) is None
    assert policy.refusal(ip_address("::ffff:10.1.2.3")) is None
    assert policy.refusal(ip_address("fd00::1")) is None
    assert policy.refusal(ip_address("4000::1")) is None
    assert policy.refusal(ip_address("4001::1")) == "unassigned"
    assert policy.refusal(ip_address("8.8.8.8")) is None
    assert policy.refusal(ip_address("10.2.0.0")) == "private"
    assert policy.refusal(ip_address("::ffff:10.2.0.0")) == "private"
    assert policy.refusal(ip_address("64:ff9b::10.1.2.3")) == "nat64-embedded"
    assert policy.refusal(ip_address("127.0.0.1")) == "loopback"


def test_a_policy_allows_https_and_port_443_by_default() -> None:
    policy = parse_policy(allow_http="false", ports="443", networks="")

    assert policy == EgressPolicy()
    assert policy.schemes == ("https",)
    assert policy.allows_port(443)
    assert not policy.allows_port(80)


def test_a_policy_is_read_from_the_deployments_parameters() -> None:
    policy = parse_policy(allow_http="true", ports="443, 8443", networks="10.0.0.0/8, fd00::/8")

    assert policy.schemes == ("https", "http")
    assert policy.ports == frozenset({443, 8443})
    assert policy.networks == (IPv4Network("10.0.0.0/8"), IPv6Network("fd00::/8"))


def test_an_address_with_a_prefix_is_the_network_that_holds_it() -> None:
    policy = parse_policy(allow_http="false", ports="443", networks="10.1.2.3/8,fd00::1/8")
    assert policy.networks == (IPv4Network("10.0.0.0/8"), IPv6Network("fd00::/8"))


def test_a_star_allows_any_port() -> None:
    assert parse_policy(allow_http="false", ports="*", networks="").allows_port(65_535)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"allow_http": "yes"}, "AllowHttpEndpoints"),
        ({"ports": "https"}, "AllowedPorts"),
        ({"ports": "0"}, "AllowedPorts"),
        ({"ports": "65536"}, "AllowedPorts"),
        ({"ports": "-1"}, "AllowedPorts"),
        ({"networks": "10.0.0.0/33"}, "AllowedNetworks"),
        ({"networks": "everything"}, "AllowedNetworks"),
    ],
)
def test_a_wrong_parameter_is_named(parameters: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        parse_policy(**{"allow_http": "false", "ports": "443", "networks": "", **parameters})
