"""The address guard: turns an endpoint's URL into vetted addresses, or says by name why it refuses."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import lru_cache
from typing import Final

from webhooks.adapters.http.resolver import HostUnresolvedError, Resolve, Resolver
from webhooks.domain.egress_policy import Address, EgressPolicy
from webhooks.domain.endpoint_url import EndpointUrl, InvalidUrlError, parse_url
from webhooks.domain.errors import EndpointRefusedError
from webhooks.domain.values import value_type
from webhooks.ports import Clock

__all__ = ["EgressGuard", "EgressRefusedError", "HostUnresolvedError", "Lookup", "Target"]

_RESOLVE_SECONDS: Final = 5.0
_CACHED_URLS: Final = 1_024  # URLs


class EgressRefusedError(EndpointRefusedError):
    """The service may not connect there: `reason` names why for the log, the text explains it to a person."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@value_type(frozen=True, slots=True)
class Target:
    """A host's vetted addresses: a connection goes to one of them, also where the host changes later."""

    url: EndpointUrl
    addresses: tuple[str, ...]


@value_type(frozen=True, slots=True)
class Lookup:
    """The search for a URL's addresses."""

    url: EndpointUrl
    found: Future[tuple[Address, ...]]

    def when_done(self, action: Callable[[], None]) -> None:
        """Have a thread of the resolver do something once the addresses are there."""
        self.found.add_done_callback(lambda _: action())


class EgressGuard:
    """Judge URLs by the deployment's policy, at save and at every connect. Thread-safe."""

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        resolve: Resolve = socket.getaddrinfo,
        clock: Clock = time.monotonic,
    ) -> None:
        self._policy = policy
        self._resolver = Resolver(resolve, clock=clock)
        # They only compute, and deliveries ask for the same again and again; an error is not cached.
        self._parsed = lru_cache(_CACHED_URLS)(self._parse)
        self._vetted = lru_cache(_CACHED_URLS)(self._vet)
        self._refused = lru_cache(_CACHED_URLS)(policy.refusal)
        self._scheme_rule = "the URL must start with " + " or ".join(f"{each}://" for each in policy.schemes)

    def check(self, url: str) -> None:
        """Raise EgressRefusedError or HostUnresolvedError, with a text for the webhook's tenant."""
        self.target(url, seconds=_RESOLVE_SECONDS)

    def target(self, url: str, *, seconds: float) -> Target:
        """Resolve the URL's host once, within the seconds and never over 5, and vet every address.

        One refused address refuses the host: a mix may be an attempt to get a bad one picked.
        The errors do not name the address that a host resolved to: it may be known inside a network only.
        """
        parsed = self._parsed(url)
        found = self._resolver.addresses(parsed.host, seconds=min(seconds, _RESOLVE_SECONDS))
        return self._vetted(parsed, found)

    def begin(self, url: str) -> Target | Lookup:
        """Begin `target` without waiting: where the host must be looked up, `end` does the rest.

        Raises EgressRefusedError, and HostUnresolvedError where too many lookups hang.
        """
        parsed = self._parsed(url)
        found = self._resolver.look_up(parsed.host)
        return Lookup(parsed, found) if isinstance(found, Future) else self._vetted(parsed, found)

    def end(self, lookup: Lookup) -> Target:
        """Vet the addresses of a lookup that is done. Raises EgressRefusedError and HostUnresolvedError."""
        addresses = lookup.found.result()
        if not addresses:
            raise HostUnresolvedError(f"the host {lookup.url.host} has no address")
        return self._vetted(lookup.url, addresses)

    def refusal(self, address: Address) -> str | None:
        """Name why the service may not connect to an address; None where it may."""
        return self._refused(address)

    def _vet(self, parsed: EndpointUrl, addresses: tuple[Address, ...]) -> Target:
        for address in addresses:
            reason = self._policy.refusal(address)
            if reason is not None:
                named = (
                    f"the address {parsed.host} is"
                    if parsed.host == str(address)
                    else f"the host {parsed.host} resolves to an address that is"
                )
                raise EgressRefusedError(reason, f"{named} refused ({reason})")
        return Target(parsed, tuple(map(str, addresses)))

    def _parse(self, url: str) -> EndpointUrl:
        try:
            parsed = parse_url(url)
        except InvalidUrlError as error:
            # The parser knows both schemes, and not which of them this deployment allows.
            message = self._scheme_rule if error.reason == "scheme" else str(error)
            raise EgressRefusedError(error.reason, message) from error
        if parsed.scheme not in self._policy.schemes:
            raise EgressRefusedError("scheme", self._scheme_rule)
        if not self._policy.allows_port(parsed.port):
            allowed = ", ".join(map(str, sorted(self._policy.ports or ()))) or "none"
            raise EgressRefusedError("port", f"the port {parsed.port} is not allowed (allowed: {allowed})")
        return parsed
