"""Lets requests in: authenticated, authorized, and only then read."""

import hashlib

from webhooks.domain.caller import Caller
from webhooks.domain.errors import InvalidInputError, TooManyRequestsError
from webhooks.domain.scope import IDENTIFIER, IDENTIFIER_RULE, Scope
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.ports import Clock, RandomBytes
from webhooks.services.authentication import Authentication
from webhooks.services.idempotency import CommunityRequest
from webhooks.services.tenant_throttle import TenantThrottle

RANDOM_BYTES = 32
APP_ID_SHOWN = 64  # characters of it in the log: the caller may write anything there
# A request is accepted until its `ts` is out of the span, and may have come that much early: twice the span.
# An hour more lets a client that signs its retries anew, with the same uuid, find its response.
RECORDED_BEYOND_SPAN = 3600


class Authenticator:
    """Authenticates and authorizes the requests of one API, and limits those of a tenant.

    `allowed_time_span` in seconds; `throttle`: None in an API for operators alone.
    """

    def __init__(
        self,
        authentication: Authentication,
        *,
        clock: Clock,
        random_bytes: RandomBytes,
        allowed_time_span: int,
        throttle: TenantThrottle | None = None,
    ) -> None:
        self._throttle = throttle
        self._authentication = authentication
        self._clock = clock
        self._random_bytes = random_bytes
        self._recorded_for = 2 * allowed_time_span + RECORDED_BEYOND_SPAN

    def operator(self, request: ApiRequest) -> Caller:
        """Return the caller of a request for the deployment itself.

        Raises UnauthenticatedError, ForbiddenError.
        """
        caller = self._caller(request, None)
        caller.require_operator()
        return caller

    def community(
        self, request: ApiRequest, tenant_id: str, community_id: str, *, cost: int = 1
    ) -> CommunityRequest:
        """Return a request for the community in its path, which counts as `cost` of its tenant's requests.

        Raises UnauthenticatedError, then TooManyRequestsError, then InvalidInputError for ids that no license
        can have, ForbiddenError.
        """
        scope = Scope(tenant_id, community_id)
        caller = self._caller(request, scope)
        self._admit(request, caller, scope, cost=cost)
        problems = [
            f"{name}: must be {IDENTIFIER_RULE}"
            for name, value in (("tenantId", tenant_id), ("communityId", community_id))
            if not IDENTIFIER.fullmatch(value)
        ]
        if problems:
            raise InvalidInputError(problems)
        request.log_fields.update(tenant_id=tenant_id, community_id=community_id)
        caller.require_community(scope)
        return CommunityRequest(
            caller=caller,
            scope=scope,
            idempotency_key=self.idempotency_key(caller, request),
            expires_at=int(self._clock()) + self._recorded_for,
        )

    def charge(self, request: ApiRequest, authorized: CommunityRequest, *, cost: int) -> None:
        """Count a request for more than it was let in for, as its body asks for much.

        Raises TooManyRequestsError.
        """
        self._admit(request, authorized.caller, authorized.scope, cost=cost)

    def _admit(self, request: ApiRequest, caller: Caller, scope: Scope, *, cost: int) -> None:
        """Count a request for the tenant of its license: no other caller can use its rate up."""
        if self._throttle is None:
            return
        try:
            self._throttle.admit(caller.license.counts_for(scope), cost=cost)
        except TooManyRequestsError:
            request.log_fields["throttled"] = caller.license.tenant_id
            raise

    def idempotency_key(self, caller: Caller, request: ApiRequest) -> str:
        """Return a key that this request shares with its exact repeats alone.

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

    def _caller(self, request: ApiRequest, scope: Scope | None) -> Caller:
        caller = self._authentication.authenticate(request.headers, scope)
        request.log_fields["app_id"] = caller.app_id[:APP_ID_SHOWN].encode(errors="replace").decode()
        return caller
