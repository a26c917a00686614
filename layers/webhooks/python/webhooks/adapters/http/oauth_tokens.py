"""OAuth 2.0 access tokens by client_credentials (RFC 6749, 4.4): fetched once for many, then kept."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus, urlencode

from webhooks.adapters.ttl_cache import TtlCache
from webhooks.domain.http import (
    ClientCredentials,
    HttpOutcome,
    HttpRequest,
    HttpResponse,
    NoResponse,
    NoResponseReason,
)
from webhooks.ports import Call, Conversation, Shared

_USER_AGENT: Final = "webhooks"
_KEPT_TOKENS: Final = 1_024
_FETCH_SECONDS: Final = 5.0  # the longest ttl: no delivery has more time for a token
_ANSWER_BYTES: Final = 32_768
_LIFETIME: Final = 300.0  # where the answer names none (RFC 6749, 5.1): short, as a 401 fetches anew anyway
_LONGEST: Final = 86_400.0  # whatever the answer says
_MARGIN: Final = 60.0  # refreshed so long before the end, or a tenth of the lifetime where that is less
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")  # RFC 6749, A.12, and fit for a header
_ERROR_CODE: Final = re.compile(r"[a-z_]{1,64}")  # the codes that RFC 6749, 5.2, and its extensions define


@dataclass(frozen=True, slots=True)
class _Token:
    """`seconds`: how long it is used from the request for it on."""

    text: str
    seconds: float


class OAuthTokens:
    """Access tokens by client. `clock`: seconds that go on while the function is frozen."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._tokens: TtlCache[ClientCredentials, str] = TtlCache(_KEPT_TOKENS, clock=clock)

    def token(
        self, client: ClientCredentials, *, seconds: float, rejected: str | None = None
    ) -> Conversation[str | NoResponse]:
        """Return a token that holds for a while yet; calls while one is fetched wait for that one.

        Each waits its own seconds; the fetch has seconds of its own, so that no asker's short time fails the
        others. `rejected`: the token that an endpoint answered 401 to: it is fetched anew. Failures are not
        kept.
        """
        kept = self._tokens.get(client)
        if kept is not None and kept[0] != rejected:
            return kept[0]
        fetch = Shared(client, _FETCH_SECONDS, lambda exchange: self._keep(client, exchange))
        exchange = yield Call(_request(client), seconds, excerpt_bytes=_ANSWER_BYTES, shared=fetch)
        token = _token(exchange)
        return token if isinstance(token, NoResponse) else token.text

    def _keep(self, client: ClientCredentials, exchange: HttpOutcome) -> None:
        token = _token(exchange)
        if isinstance(token, _Token):
            self._tokens.put(client, token.text, seconds=token.seconds - exchange.latency_ms / 1000)


def _token(exchange: HttpOutcome) -> _Token | NoResponse:
    if isinstance(exchange, HttpResponse):
        return _read(exchange)
    detail = f"the token endpoint did not answer: {exchange.reason}: {exchange.detail}"
    return _failed(detail, latency_ms=exchange.latency_ms, address=exchange.address)


def _request(client: ClientCredentials) -> HttpRequest:
    form = {"grant_type": "client_credentials"}
    if client.scopes:
        form["scope"] = " ".join(client.scopes)
    # RFC 6749, 2.3.1: both are form-encoded before they are joined
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers = {
        "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "User-Agent": _USER_AGENT,
    }
    return HttpRequest("POST", client.token_url, headers, urlencode(form).encode())


def _read(answered: HttpResponse) -> _Token | NoResponse:
    try:
        said = json.loads(answered.excerpt.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        said = None
    response = said if isinstance(said, dict) else {}
    if answered.status // 100 != 2:  # noqa: PLR2004 - the class of success
        code = response.get("error")
        named = f" {code}" if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else ""
        return _failed(f"the token endpoint answered {answered.status}{named}")
    text = response.get("access_token")
    if not (isinstance(text, str) and _TOKEN.fullmatch(text)):
        return _failed("the token endpoint answered without an access token")
    if str(response.get("token_type", "bearer")).lower() != "bearer":
        return _failed("the token endpoint answered with a token of another type than bearer")
    lifetime = _lifetime(response.get("expires_in"))
    return _Token(text, lifetime - min(_MARGIN, lifetime / 10))


def _lifetime(value: object) -> float:
    """Return seconds, also where the server writes them as text; what is no number counts as not said."""
    try:
        return min(max(0.0, float(value)), _LONGEST) if isinstance(value, int | float | str) else _LIFETIME
    except (ValueError, OverflowError):
        return _LIFETIME


def _failed(detail: str, *, latency_ms: int = 0, address: str | None = None) -> NoResponse:
    return NoResponse(NoResponseReason.OAUTH, detail, latency_ms, address)
