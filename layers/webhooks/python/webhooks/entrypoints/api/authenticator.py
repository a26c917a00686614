"""Lets requests in: who calls, and what makes a request the repeat of another."""

import hashlib

from webhooks.domain.caller import Caller
from webhooks.domain.scope import Scope
from webhooks.entrypoints.api.request import Request
from webhooks.entrypoints.api.resolver import RestApi
from webhooks.ports import RandomBytes
from webhooks.services.authentication import Authentication

RANDOM_BYTES = 32
APP_ID_SHOWN = 64  # characters of it in the log: the caller may write anything there


class Authenticator:
    """Authenticates the requests of one API."""

    def __init__(self, authentication: Authentication, *, random_bytes: RandomBytes) -> None:
        self._authentication = authentication
        self._random_bytes = random_bytes

    def caller(self, api: RestApi, scope: Scope | None = None) -> Caller:
        """Return who calls; `scope` where the path names a community. Raises UnauthenticatedError."""
        caller = self._authentication.authenticate(api.incoming.headers, scope)
        api.facts["app_id"] = caller.app_id[:APP_ID_SHOWN].encode(errors="replace").decode()
        return caller

    def repeat_key(self, caller: Caller, request: Request) -> str:
        """Return what this request and its exact repeat have in common, and no other request has.

        Each part goes in with its length, so that no two lists of parts run together to the same bytes.
        """
        if caller.request_uuid is None:
            uuid = self._random_bytes(RANDOM_BYTES)
        else:
            uuid = caller.request_uuid.encode(errors="surrogatepass")
        parts = (
            caller.public_key.x,  # (X, -Y) opens the same envelopes: it is the same caller
            uuid,
            request.method.encode(errors="surrogatepass"),
            request.path.encode(errors="surrogatepass"),
            request.body,
        )
        framed = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hashlib.sha256(framed).hexdigest()
