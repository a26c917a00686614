"""OAuth 2.0 access tokens by client_credentials (RFC 6749, 4.4): fetched once for many, then kept."""

import base64
import json
import re
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Final
from urllib.parse import quote_plus, urlencode

from webhooks.adapters.endpoint import HttpEndpoint
from webhooks.adapters.reading import Reply, unpacked
from webhooks.adapters.strands import result_of
from webhooks.domain.exchange import ClientCredentials, HttpRequest, NoAnswer, NoAnswerReason

_KEPT_TOKENS: Final = 1_024
_FETCH_SECONDS: Final = 5.0  # the longest ttl: whoever waits for a token could have asked for it
_ANSWER_BYTES: Final = 32_768
_LIFETIME: Final = 300.0  # where the answer names none (RFC 6749, 5.1): short, as a 401 fetches anew anyway
_LONGEST: Final = 86_400.0  # whatever the answer says
_MARGIN: Final = 60.0  # refreshed so long before the end, or a tenth of the lifetime where that is less
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")  # RFC 6749, A.12, and fit for a header
_ERROR_CODE: Final = re.compile(r"[a-z_]{1,64}")  # the codes that RFC 6749, 5.2, and its extensions define


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    until: float


@dataclass(frozen=True, slots=True, eq=False)
class _Fetch:
    """A fetch under way. One that froze with its function is over by the clock, and fails then."""

    asked_at: float
    result: Future[_Token | NoAnswer] = field(default_factory=Future)


class OAuthTokens:
    """Access tokens by client. `clock`: seconds that go on while the function is frozen. Thread-safe."""

    def __init__(
        self, endpoint: HttpEndpoint, clock: Callable[[], float], *, user_agent: str = "webhooks"
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._user_agent = user_agent
        self._lock = Lock()
        self._kept: OrderedDict[ClientCredentials, _Token] = OrderedDict()
        self._fetches: dict[ClientCredentials, _Fetch] = {}

    def token(
        self, client: ClientCredentials, *, seconds: float, rejected: str | None = None
    ) -> str | NoAnswer:
        """Return a token that holds for a while yet; who asks while one is fetched waits for that one.

        Each waits its own seconds; the fetch has a thread and seconds of its own, so that no asker's short
        time fails the others. `rejected`: the token that an endpoint answered 401 to: it is fetched anew.
        Failures are not kept.
        """
        with self._lock:
            kept = self._kept.get(client)
            if kept and kept.text != rejected and self._clock() < kept.until:
                self._kept.move_to_end(client)
                return kept.text
            now, fetch = self._clock(), self._fetches.get(client)
            if fetch is None or now - fetch.asked_at > _FETCH_SECONDS:
                fetch = self._fetches[client] = _Fetch(now)
                Thread(target=self._run, args=(client, fetch), name="token", daemon=True).start()
        try:
            fetched = result_of(fetch.result, seconds)
        except TimeoutError:
            return _failed("the time was up: waiting for a token", latency_ms=round(seconds * 1_000))
        return fetched if isinstance(fetched, NoAnswer) else fetched.text

    def _run(self, client: ClientCredentials, fetch: _Fetch) -> None:
        try:
            fetched = self._fetch(client, fetch.asked_at)
        except BaseException as error:  # noqa: BLE001 - a fault of ours: raised in those who wait
            self._end(client, fetch)
            fetch.result.set_exception(error)
        else:
            self._end(client, fetch, fetched)
            fetch.result.set_result(fetched)

    def _end(
        self, client: ClientCredentials, fetch: _Fetch, fetched: _Token | NoAnswer | None = None
    ) -> None:
        with self._lock:
            if self._fetches.get(client) is not fetch:  # a later one took its place
                return
            del self._fetches[client]
            if isinstance(fetched, _Token):
                self._kept[client] = fetched
                self._kept.move_to_end(client)
                if len(self._kept) > _KEPT_TOKENS:
                    self._kept.popitem(last=False)

    def _fetch(self, client: ClientCredentials, asked_at: float) -> _Token | NoAnswer:
        reply = self._endpoint.fetch(self._request(client), seconds=_FETCH_SECONDS, keep=_ANSWER_BYTES)
        if isinstance(reply, NoAnswer):
            return _failed(
                f"the token endpoint did not answer: {reply.reason}: {reply.detail}",
                latency_ms=reply.latency_ms,
                address=reply.address,
            )
        return _read(reply, asked_at)

    def _request(self, client: ClientCredentials) -> HttpRequest:
        form = {"grant_type": "client_credentials"}
        if client.scopes:
            form["scope"] = " ".join(client.scopes)
        # RFC 6749, 2.3.1: both are form-encoded before they are joined
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
        headers = {
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            "User-Agent": self._user_agent,
        }
        return HttpRequest("POST", client.token_url, headers, urlencode(form).encode())


def _read(reply: Reply, asked_at: float) -> _Token | NoAnswer:
    try:
        said = json.loads(unpacked(reply.body, reply.encoding, limit=_ANSWER_BYTES))
    except (ValueError, RecursionError):
        said = None
    answer = said if isinstance(said, dict) else {}
    if reply.status // 100 != 2:  # noqa: PLR2004 - the class of success
        code = answer.get("error")
        named = f" {code}" if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else ""
        return _failed(f"the token endpoint answered {reply.status}{named}")
    text = answer.get("access_token")
    if not (isinstance(text, str) and _TOKEN.fullmatch(text)):
        return _failed("the token endpoint answered without an access token")
    if str(answer.get("token_type", "bearer")).lower() != "bearer":
        return _failed("the token endpoint answered with a token of another type than bearer")
    lifetime = _lifetime(answer.get("expires_in"))
    return _Token(text, asked_at + lifetime - min(_MARGIN, lifetime / 10))


def _lifetime(value: object) -> float:
    """Return seconds, also where the server writes them as text; what is no number counts as not said."""
    try:
        return min(max(0.0, float(value)), _LONGEST) if isinstance(value, int | float | str) else _LIFETIME
    except (ValueError, OverflowError):
        return _LIFETIME


def _failed(detail: str, *, latency_ms: int = 0, address: str | None = None) -> NoAnswer:
    return NoAnswer(NoAnswerReason.OAUTH, detail, latency_ms, address)
