"""The address guard: turns an endpoint's URL into vetted addresses, or says by name why it refuses."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final

from webhooks.adapters.http.resolver import HostUnresolvedError, Resolve, Resolver
from webhooks.domain.egress_policy import Address, EgressPolicy
from webhooks.domain.endpoint_url import EndpointUrl, InvalidUrlError, parse_url
from webhooks.domain.errors import EndpointRefusedError

__all__ = ["EgressGuard", "EgressRefusedError", "HostUnresolvedError", "Lookup", "Target"]

_RESOLVE_SECONDS: Final = 5.0


class EgressRefusedError(EndpointRefusedError):
    """The service may not connect there: `reason` names why for the log, the text explains it to a person."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect: to one of `addresses` and nowhere else, whatever the host resolves to later."""

    url: EndpointUrl
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The search for a URL's addresses: known ones, or a future of them."""

    url: EndpointUrl
    found: tuple[Address, ...] | Future[tuple[Address, ...]]

    @property
    def addresses(self) -> tuple[Address, ...] | None:
        """Return what was found, which may be nothing; None while it is being looked up."""
        if not isinstance(self.found, Future):
            return self.found
        return self.found.result() if self.found.done() else None

    def when_done(self, action: Callable[[], None]) -> None:
        """Have a thread of the resolver do something once the addresses are there."""
        if isinstance(self.found, Future):
            self.found.add_done_callback(lambda _: action())


class EgressGuard:
    """Judge URLs by the deployment's policy, at save and at every connect. Thread-safe."""

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        resolve: Resolve = socket.getaddrinfo,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._policy = policy
        self._resolver = Resolver(resolve, clock=clock)
        self._scheme_rule = "the URL must start with " + " or ".join(f"{each}://" for each in policy.schemes)

    def check(self, url: str) -> None:
        """Raise EgressRefusedError or HostUnresolvedError, with a text for who saves the webhook."""
        self.target(url, seconds=_RESOLVE_SECONDS)

    def target(self, url: str, *, seconds: float) -> Target:
        """Resolve the URL's host once, within the seconds and never over 5, and vet every address.

        One refused address refuses the host: a mix may be an attempt to get a bad one picked.
        The errors do not name the address that a host resolved to: it may be known inside a network only.
        """
        parsed = self._parsed(url)
        return self._vetted(
            parsed, self._resolver.addresses(parsed.host, seconds=min(seconds, _RESOLVE_SECONDS))
        )

    def begin(self, url: str) -> Lookup:
        """Start what `target` does without waiting for it; `end` does the rest.

        Raises EgressRefusedError for the URL itself, HostUnresolvedError where too many lookups hang.
        """
        parsed = self._parsed(url)
        return Lookup(parsed, self._resolver.look_up(parsed.host))

    def end(self, lookup: Lookup) -> Target:
        """Vet what a lookup found. Raises EgressRefusedError and HostUnresolvedError, as `target`."""
        if not lookup.addresses:
            raise HostUnresolvedError(f"the host {lookup.url.host} has no address")
        return self._vetted(lookup.url, lookup.addresses)

    def refusal(self, address: Address) -> str | None:
        """Name why the service may not connect to an address; None where it may."""
        return self._policy.refusal(address)

    def _vetted(self, parsed: EndpointUrl, addresses: tuple[Address, ...]) -> Target:
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

    def _parsed(self, url: str) -> EndpointUrl:
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
