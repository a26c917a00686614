"""OAuth 2.0 access tokens by client_credentials (RFC 6749, 4.4): fetched once for many, then cached."""

import base64
import json
import re
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
from webhooks.domain.values import value_type
from webhooks.ports import Call, Clock, Conversation, Shared

_USER_AGENT: Final = "webhooks"
_CACHED_TOKENS: Final = 1_024
_FETCH_SECONDS: Final = 5.0  # the longest ttl: no delivery has more time for a token
_RESPONSE_BYTES: Final = 32_768
_LIFETIME: Final = 300.0  # where the response names none (RFC 6749, 5.1): short, as a 401 fetches anew anyway
_LONGEST: Final = 86_400.0  # a longer one is cut
_MARGIN: Final = 60.0  # refreshed so long before the end, or a tenth of the lifetime where that is less
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")  # RFC 6749, A.12, and fit for a header
_ERROR_CODE: Final = re.compile(r"[a-z_]{1,64}")  # the codes that RFC 6749, 5.2, and its extensions define


@value_type(frozen=True, slots=True)
class _Token:
    """`seconds`: how long it is used from the request for it on."""

    text: str
    seconds: float


class OAuthTokens:
    """Access tokens by client. `clock`: seconds that go on while the function is frozen."""

    def __init__(self, clock: Clock) -> None:
        self._tokens: TtlCache[ClientCredentials, str] = TtlCache(_CACHED_TOKENS, clock=clock)

    def token(
        self, client: ClientCredentials, *, seconds: float, rejected: str | None = None
    ) -> Conversation[str | NoResponse]:
        """Return a token that holds for a while yet; calls while one is fetched wait for that one.

        Each waits its own seconds; the fetch has seconds of its own, so that no asker's short time fails the
        others. `rejected`: the token that an endpoint refused with a 401: it is fetched anew. Failures are
        not cached.
        """
        cached = self._tokens.get(client)
        if cached is not None and cached[0] != rejected:
            return cached[0]
        fetch = Shared(client, _FETCH_SECONDS, lambda outcome: self._keep(client, outcome))
        outcome = yield Call(_request(client), seconds, excerpt_bytes=_RESPONSE_BYTES, shared=fetch)
        token = _token(outcome)
        return token if isinstance(token, NoResponse) else token.text

    def _keep(self, client: ClientCredentials, outcome: HttpOutcome) -> None:
        token = _token(outcome)
        if isinstance(token, _Token):
            self._tokens.put(client, token.text, seconds=token.seconds - outcome.latency_ms / 1000)


def _token(outcome: HttpOutcome) -> _Token | NoResponse:
    if isinstance(outcome, HttpResponse):
        return _read(outcome)
    detail = f"the token endpoint did not answer: {outcome.reason}: {outcome.detail}"
    return _failed(detail, latency_ms=outcome.latency_ms, address=outcome.address)


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


def _read(response: HttpResponse) -> _Token | NoResponse:
    try:
        said = json.loads(response.excerpt.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        said = None
    fields = said if isinstance(said, dict) else {}
    if response.status // 100 != 2:  # noqa: PLR2004 - the class of success
        code = fields.get("error")
        named = f" {code}" if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else ""
        return _failed(f"the token endpoint answered {response.status}{named}")
    text = fields.get("access_token")
    if not (isinstance(text, str) and _TOKEN.fullmatch(text)):
        return _failed("the token endpoint answered without an access token")
    if str(fields.get("token_type", "bearer")).lower() != "bearer":
        return _failed("the token endpoint answered with a token of another type than bearer")
    lifetime = _lifetime(fields.get("expires_in"))
    return _Token(text, lifetime - min(_MARGIN, lifetime / 10))


def _lifetime(value: object) -> float:
    """Return seconds, also where the server writes them as text; other values count as none."""
    try:
        return min(max(0.0, float(value)), _LONGEST) if isinstance(value, int | float | str) else _LIFETIME
    except (ValueError, OverflowError):
        return _LIFETIME


def _failed(detail: str, *, latency_ms: int = 0, address: str | None = None) -> NoResponse:
    return NoResponse(NoResponseReason.OAUTH, detail, latency_ms, address)
