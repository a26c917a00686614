"""Endpoints, access tokens and the address guard as a test scripts them; nothing connects anywhere."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from threading import RLock
from typing import Protocol, cast

from tests.fakes.faults import Fault, effect, no_fault
from webhooks.domain.errors import EndpointRefusedError
from webhooks.domain.http import ClientCredentials, HttpOutcome, HttpRequest, HttpResponse, NoResponse
from webhooks.ports import Conversation

# Computes the outcome of a request.
type Behaviour = HttpOutcome | Callable[[HttpRequest], HttpOutcome]


def http_response(status: int = 200, *, excerpt: str = "", retry_after: str | None = None) -> HttpResponse:
    """Return an endpoint's response."""
    return HttpResponse(status, retry_after, excerpt, latency_ms=1, address="192.0.2.1")


class RequestSender(Protocol):
    """Answers a request at once."""

    def send(self, request: HttpRequest, *, seconds: float) -> HttpOutcome:
        """Return the outcome of a request that may take so many seconds."""


def lead[R](conversation: Conversation[R], endpoint: RequestSender) -> R:
    """Lead one conversation to its end and return its result."""
    outcome: HttpOutcome | Exception | None = None
    while True:
        try:
            if isinstance(outcome, Exception):
                call = conversation.throw(outcome)
            else:
                call = conversation.send(cast("HttpOutcome", outcome))
        except StopIteration as end:
            return cast("R", end.value)
        try:
            outcome = endpoint.send(call.request, seconds=call.seconds)
        except Exception as error:  # noqa: BLE001 - it is raised in the conversation
            outcome = error


def at_once[R](result: R) -> Conversation[R]:
    """Return a result without any call."""
    yield from ()
    return result


class OneByOne:
    """An HTTP client that leads conversations one after another, to an endpoint that answers at once."""

    def __init__(self, endpoint: RequestSender) -> None:
        self._endpoint = endpoint

    def send_all[R](self, conversations: Sequence[Conversation[R]], *, pause: float) -> Iterator[Sequence[R]]:
        """Lead the conversations."""
        del pause
        for each in conversations:
            yield [lead(each, self._endpoint)]


class ScriptedEndpoint:
    """Answers 200 unless a URL has a script: its outcomes in their order, the last one again and again."""

    def __init__(self, *, fault: Fault = no_fault) -> None:
        self._fault = fault
        self._lock = RLock()
        self._scripts: dict[str, deque[Behaviour]] = {}
        self._requests: list[HttpRequest] = []

    def script(self, url: str, *behaviours: Behaviour) -> None:
        """Set the behaviours of the endpoint at a URL."""
        with self._lock:
            self._scripts[url] = deque(behaviours)

    def requests(self, url: str | None = None) -> list[HttpRequest]:
        """Return the requests that were sent, to one URL or to all, in their order."""
        with self._lock:
            return [request for request in self._requests if url in (None, request.url)]

    def send(self, request: HttpRequest, *, seconds: float) -> HttpOutcome:  # noqa: ARG002 - the port's
        """Send a request and return its outcome."""
        with effect(self._fault, "endpoint.send"):
            with self._lock:
                self._requests.append(request)
                behaviour = self._next(request.url)
            return behaviour(request) if callable(behaviour) else behaviour

    def _next(self, url: str) -> Behaviour:
        script = self._scripts.get(url)
        if not script:
            return http_response()
        return script.popleft() if len(script) > 1 else script[0]


class ScriptedTokens:
    """Gives out "token 1" until it is rejected, then "token 2"; or the token that is set."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._number = 1
        self.failure: NoResponse | None = None
        self.asked: list[ClientCredentials] = []

    def token(
        self,
        client: ClientCredentials,
        *,
        seconds: float,  # noqa: ARG002 - the port's
        rejected: str | None = None,
    ) -> Conversation[str | NoResponse]:
        """Return an access token."""
        with self._lock:
            self.asked.append(client)
            if self.failure is not None:
                return at_once(self.failure)
            if rejected == f"token {self._number}":
                self._number += 1
            return at_once(f"token {self._number}")


class ScriptedGuard:
    """Lets the service connect anywhere but to the URLs that are refused, each with its reason."""

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}

    def check(self, url: str) -> None:
        """Raise EndpointRefusedError where the service may not connect."""
        if url in self.refused:
            raise EndpointRefusedError(self.refused[url])
