"""Host names to addresses, on time: a lookup that hangs takes its own caller's time alone."""

import socket
import time
from collections.abc import Sequence
from concurrent.futures import Future
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, Protocol

from webhooks.adapters.loading_cache import LoadingCache, TooManyLoadsError
from webhooks.domain.egress_policy import Address
from webhooks.domain.errors import EndpointRefusedError
from webhooks.ports import Clock

_CACHED_SECONDS: Final = 10.0  # a burst of deliveries asks once; a changed record is followed within seconds
_CACHED_HOSTS: Final = 1_024
# Each is a thread in getaddrinfo, which nothing can stop: bounded, so that dead zones cannot use up all.
_LOOKUPS_AT_ONCE: Final = 128


class Resolve(Protocol):
    """The interface of `socket.getaddrinfo`; only the addresses of its result are read."""

    def __call__(self, host: str, port: None, /, *, type: int) -> Sequence[tuple[Any, ...]]:  # noqa: A002 - its name
        """Return a tuple for each address, the last member of which starts with the address."""


class HostUnresolvedError(EndpointRefusedError):
    """The host has no address, or none was found in time."""


class Resolver:
    """Resolve hosts with a short memory and one lookup per host at a time. Thread-safe."""

    def __init__(self, resolve: Resolve = socket.getaddrinfo, *, clock: Clock = time.monotonic) -> None:
        self._resolve = resolve
        self._hosts = LoadingCache(
            self._look_up, size=_CACHED_HOSTS, clock=clock, name="lookup", at_once=_LOOKUPS_AT_ONCE
        )

    def addresses(self, host: str, *, seconds: float) -> tuple[Address, ...]:
        """Return the host's addresses, at least one, in the order to try them.

        Raises HostUnresolvedError when there is none, or none within the seconds.
        """
        found = self.look_up(host)
        try:
            addresses = found.result(seconds) if isinstance(found, Future) else found
        except TimeoutError:
            raise HostUnresolvedError(f"the host {host} did not resolve within {seconds:.3g} s") from None
        if not addresses:
            raise HostUnresolvedError(f"the host {host} has no address")
        return addresses

    def look_up(self, host: str) -> tuple[Address, ...] | Future[tuple[Address, ...]]:
        """Return the host's addresses where they are known, else their lookup; it may find none.

        Raises HostUnresolvedError where too many lookups hang.
        """
        literal = _literal(host)
        if literal is not None:
            return (literal,)
        try:
            found = self._hosts.find(host)
        except TooManyLoadsError:
            raise HostUnresolvedError(f"the host {host} was not looked up: too many lookups hang") from None
        return found if isinstance(found, Future) else found[0]

    def _look_up(self, host: str) -> tuple[tuple[Address, ...], float | None]:
        try:
            responses = self._resolve(host, None, type=socket.SOCK_STREAM)
            addresses = tuple(dict.fromkeys(_plain(ip_address(response[-1][0])) for response in responses))
        except (OSError, ValueError):  # gaierror is an OSError; a host that IDNA refuses is a ValueError
            addresses = ()
        return addresses, _CACHED_SECONDS if addresses else None


@lru_cache(_CACHED_HOSTS)
def _literal(host: str) -> Address | None:
    """Return the address that a host is, None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _plain(address: IPv4Address | IPv6Address) -> Address:
    """Return the IPv4 address that an IPv4-mapped one stands for: a connection would go to that."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped
