"""Which addresses, ports and schemes the service may connect to. It judges addresses and resolves none."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

from webhooks.domain.values import value_type

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

# The first network that holds an address names its reason, so the narrower ones stand first.
_REFUSED_V4: Final = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("169.254.169.254/32", "metadata"),  # EC2 instance metadata
        ("169.254.170.2/32", "metadata"),  # ECS task credentials
        ("169.254.170.23/32", "metadata"),  # EKS pod identity
        ("255.255.255.255/32", "broadcast"),
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "protocol"),
        ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "6to4-relay"),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_REFUSED_V6: Final = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("fd00:ec2::254/128", "metadata"),  # EC2 instance metadata
        ("fd00:ec2::23/128", "metadata"),  # EKS pod identity
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("64:ff9b:1::/48", "nat64-local"),
        ("::/96", "v4-compatible"),
        ("::/8", "reserved"),
        ("100::/64", "discard"),
        ("2001::/32", "teredo"),
        ("2001::/23", "protocol"),
        ("2001:db8::/32", "documentation"),
        ("2002::/16", "6to4"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "segment-routing"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # all of IPv6 that IANA gives out addresses from
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052's well-known prefix


def refusal(address: Address) -> str | None:
    """Name why an address is refused in every deployment; None where it is not.

    IPv6 is allowed within 2000::/3 only, without the table's networks. IPv4-mapped addresses and those under
    NAT64's well-known prefix are judged by the IPv4 address inside.
    """
    if isinstance(address, IPv4Address):
        return _first(_REFUSED_V4, address)
    if address.ipv4_mapped is not None:
        return _first(_REFUSED_V4, address.ipv4_mapped)
    if address in _NAT64:
        inside = _first(_REFUSED_V4, IPv4Address(int(address) & 0xFFFFFFFF))
        return None if inside is None else "nat64-embedded"
    return _first(_REFUSED_V6, address) or (None if address in _GLOBAL_UNICAST else "unassigned")


def _first[N: Network](table: Iterable[tuple[N, str]], address: Address) -> str | None:
    return next((reason for network, reason in table if address in network), None)


@value_type(frozen=True, slots=True)
class EgressPolicy:
    """A deployment's permissions: `ports` None is any; `networks` hold although the table refuses them."""

    allow_http: bool = False
    ports: frozenset[int] | None = frozenset({443})
    networks: tuple[Network, ...] = ()

    @property
    def schemes(self) -> tuple[str, ...]:
        """Return the URL schemes that are allowed."""
        return ("https", "http") if self.allow_http else ("https",)

    def allows_port(self, port: int) -> bool:
        """Tell whether connections to the port are allowed."""
        return self.ports is None or port in self.ports

    def refusal(self, address: Address) -> str | None:
        """Name why this deployment may not connect to the address; None where it may."""
        reason = refusal(address)
        if reason is None:
            return None
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        judged = address if mapped is None else mapped
        return None if any(judged in network for network in self.networks) else reason


def parse_policy(*, allow_http: str, ports: str, networks: str) -> EgressPolicy:
    """Read the deployment's parameters: `true` or `false`; `443,8443` or `*`; `10.0.0.0/8,fd00::/8` or none.

    Raises ValueError that names the parameter and its form.
    """
    return EgressPolicy(
        allow_http=_flag(allow_http),
        ports=None if ports.strip() == "*" else frozenset(map(_port, _listed(ports))),
        networks=tuple(map(_network, _listed(networks))),
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in {"true", "false"}:
        raise ValueError(f"AllowHttpEndpoints must be true or false, not {text!r}")
    return word == "true"


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):  # noqa: PLR2004 - the ports
        raise ValueError(f"AllowedPorts must be port numbers from 1 to 65535, or *, not {text!r}")
    return int(text)


def _network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)  # 10.0.0.1/8 is the network that holds that address
    except ValueError as error:
        raise ValueError(f"AllowedNetworks must be networks such as 10.0.0.0/8: {error}") from error
