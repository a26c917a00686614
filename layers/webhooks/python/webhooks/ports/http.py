"""HTTP to endpoints: the address guard, conversations, and access tokens."""

from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from typing import Protocol

from webhooks.domain.http import EXCERPT_BYTES, ClientCredentials, HttpOutcome, HttpRequest, NoResponse
from webhooks.domain.values import value_type


class EndpointGuard(Protocol):
    """Decides to which URLs the service may connect."""

    def check(self, url: str) -> None:
        """Raise EndpointRefusedError for any other URL, or where the host has no address."""


@value_type(frozen=True, slots=True)
class Shared:
    """A call that many conversations may wait for: those with an equal key share one.

    It has `seconds` of its own, so that no short time of one fails the others; `done` gets its outcome,
    once, also where no conversation waits for it any more.
    """

    key: Hashable
    seconds: float
    done: Callable[[HttpOutcome], None]


@value_type(frozen=True, slots=True)
class Call:
    """A request, and the seconds from its host's lookup to the response's last byte.

    `excerpt_bytes`: how much of the response's body is kept.
    """

    request: HttpRequest
    seconds: float
    excerpt_bytes: int = EXCERPT_BYTES
    shared: Shared | None = None


# Gives the calls that it needs, one after another, gets the outcome of each, and returns its result.
type Conversation[R] = Generator[Call, HttpOutcome, R]


class HttpClient(Protocol):
    """HTTP to tenants' endpoints."""

    def send_all[R](self, conversations: Sequence[Conversation[R]], *, pause: float) -> Iterator[Sequence[R]]:
        """Lead conversations, all at once; give the results of those that ended, as they end.

        At least every `pause` seconds something is given, if need be nothing but an empty sequence. An
        endpoint's failure is a value; an error of ours is raised in the conversation that it concerns.
        """


class Tokens(Protocol):
    """OAuth 2 access tokens."""

    def token(
        self, client: ClientCredentials, *, seconds: float, rejected: str | None = None
    ) -> Conversation[str | NoResponse]:
        """Return an access token; `rejected` is one that the endpoint did not take."""
