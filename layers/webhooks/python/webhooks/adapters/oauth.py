"""OAuth 2.0 access tokens by client_credentials (RFC 6749, 4.4): fetched once for many, then kept."""

import base64
import json
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final
from urllib.parse import quote_plus, urlencode

from webhooks.domain.exchange import (
    Answer,
    ClientCredentials,
    Exchange,
    HttpRequest,
    NoAnswer,
    NoAnswerReason,
)
from webhooks.ports import Call, Conversation, Shared

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


class OAuthTokens:
    """Access tokens by client. `clock`: seconds that go on while the function is frozen."""

    def __init__(self, clock: Callable[[], float], *, user_agent: str = "webhooks") -> None:
        self._clock = clock
        self._user_agent = user_agent
        self._lock = Lock()
        self._kept: OrderedDict[ClientCredentials, _Token] = OrderedDict()

    def token(
        self, client: ClientCredentials, *, seconds: float, rejected: str | None = None
    ) -> Conversation[str | NoAnswer]:
        """Return a token that holds for a while yet; who asks while one is fetched waits for that one.

        Each waits its own seconds; the fetch has seconds of its own, so that no asker's short time fails the
        others. `rejected`: the token that an endpoint answered 401 to: it is fetched anew. Failures are not
        kept.
        """
        with self._lock:
            kept = self._kept.get(client)
            if kept and kept.text != rejected and self._clock() < kept.until:
                self._kept.move_to_end(client)
                return kept.text
        fetch = Shared(client, _FETCH_SECONDS, lambda exchange: self._keep(client, exchange))
        exchange = yield Call(self._request(client), seconds, excerpt_bytes=_ANSWER_BYTES, shared=fetch)
        fetched = self._read(exchange)
        return fetched if isinstance(fetched, NoAnswer) else fetched.text

    def _keep(self, client: ClientCredentials, exchange: Exchange) -> None:
        fetched = self._read(exchange)
        if isinstance(fetched, _Token):
            with self._lock:
                self._kept[client] = fetched
                self._kept.move_to_end(client)
                if len(self._kept) > _KEPT_TOKENS:
                    self._kept.popitem(last=False)

    def _read(self, exchange: Exchange) -> _Token | NoAnswer:
        if isinstance(exchange, Answer):
            return _read(exchange, asked_at=self._clock() - exchange.latency_ms / 1000)
        return _failed(
            f"the token endpoint did not answer: {exchange.reason}: {exchange.detail}",
            latency_ms=exchange.latency_ms,
            address=exchange.address,
        )

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


def _read(answered: Answer, *, asked_at: float) -> _Token | NoAnswer:
    try:
        said = json.loads(answered.excerpt.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        said = None
    answer = said if isinstance(said, dict) else {}
    if answered.status // 100 != 2:  # noqa: PLR2004 - the class of success
        code = answer.get("error")
        named = f" {code}" if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else ""
        return _failed(f"the token endpoint answered {answered.status}{named}")
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
