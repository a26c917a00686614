"""Loads keys, webhooks, delivery log and credentials of a whole batch, before anything is sent.

AWS is called here, so that none of it takes of an endpoint's time: the tables in one call for up to 100
items, one more for each webhook whose deliveries may have been sent already, and each credential that is not
cached by a call of its own, in parallel (docs/adr/0004).
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from webhooks.domain.delivery import Pack
from webhooks.domain.delivery_log import Logged, LogKey, Outcome
from webhooks.domain.errors import CorruptError, CredentialMissingError, StaleError, UnavailableError
from webhooks.domain.http import ClientCredentials
from webhooks.domain.lane import Lane
from webhooks.domain.log_sharing import may_share
from webhooks.domain.scope import Scope
from webhooks.domain.seen_events import may_be_kept_together
from webhooks.domain.webhook import AuthType, Credential, Webhook
from webhooks.ports import BatchContext, BatchReader, Credentials, Workers
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.stages import Decoded
from webhooks.services.dispatch.webhook_cache import NO_CACHE, WebhookCache

# Read units of the looks for the deliveries of a batch, and of one webhook in it: events with times close to
# each other can make a look as long as a tenant likes. What is beyond goes on by the slow lane.
LOOK_UNITS = 256
LOOK_UNITS_OF_WEBHOOK = 128

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The stored facts of a batch. `credentials`: by webhook id, where one is sent; or the error.

    A CredentialMissingError says that the secret is missing, a StaleError that the webhook was changed
    meanwhile and its credential with it. `newer`: deliveries whose state a later release wrote.
    `unread`: those of which the log did not tell whether they were sent. `looked_to`: those that a part of
    the log does not have, with the place as far as which it was read.
    """

    webhooks: Mapping[tuple[Scope, str], Webhook | CorruptError]
    logged: Mapping[LogKey, Logged]
    credentials: Mapping[str, Credential | Exception] = field(repr=False)
    newer: frozenset[LogKey] = frozenset()
    unread: frozenset[LogKey] = frozenset()
    looked_to: Mapping[LogKey, str] = field(default_factory=dict)


class Loader:
    """Loads batches. `workers` read credentials, and look for the deliveries of webhooks, in parallel."""

    def __init__(
        self,
        *,
        signer: CallbackSigner,
        reader: BatchReader,
        credentials: Credentials,
        workers: Workers,
        cache: WebhookCache = NO_CACHE,
    ) -> None:
        self._signer = signer
        self._cache = cache
        self._reader = reader
        self._credentials = credentials
        self._workers = workers

    def load(self, decoded: Sequence[Decoded], lane: Lane, *, now: float) -> Loaded:
        """Load a batch that came by a lane, at `now` (epoch s); no credential for what is not sent.

        Raises UnavailableError where keys, webhooks or log cannot be read.
        """
        self._signer.refresh()
        webhooks = sorted({(each.pack.scope, each.pack.webhook_id) for each in decoded})
        may_be_sent = [each for each in decoded if may_have_been_sent(each, lane, now=int(now * 1000))]
        read = self._cache.read(
            webhooks, decoded, lane, read=lambda some: self._read(some, decoded, may_be_sent)
        )
        sent = {
            webhook.id: webhook
            for each in decoded
            if each.key not in read.newer and each.key not in read.unread and each.key not in read.looked_to
            if not is_repeat(each, read.logged.get(each.key))
            if isinstance(webhook := read.webhooks.get((each.pack.scope, each.pack.webhook_id)), Webhook)
            if webhook.enabled and not is_held(each.pack, webhook) and not is_deferred(webhook, lane)
        }
        credentials = self.load_credentials(sent.values())
        return Loaded(read.webhooks, read.logged, credentials, read.newer, read.unread, read.looked_to)

    def _read(
        self,
        webhooks: Sequence[tuple[Scope, str]],
        decoded: Sequence[Decoded],
        may_be_sent: Sequence[Decoded],
    ) -> BatchContext:
        """Read webhooks and log; what may have been sent already is also looked for in shared items.

        A first receive is read eventually consistent: what was sent before is rarely younger than a second.
        """
        keys = list(dict.fromkeys(each.key for each in decoded))
        read = self._reader.read(webhooks, keys, consistent=bool(may_be_sent))
        unknown = [
            each
            for each in may_be_sent
            if not each.delivery.tries and may_share(each.key)
            if each.key not in read.logged and each.key not in read.newer
        ]
        return self._look(read, unknown) if unknown else read

    def _look(self, read: BatchContext, unknown: Iterable[Decoded]) -> BatchContext:
        """Look for deliveries webhook by webhook, at the same time, each with its part of the batch's units.

        A dense or throttled log delays its batch by a bounded time, and costs no other's deliveries a look.
        """
        by_webhook: dict[str, dict[LogKey, str]] = defaultdict(dict)
        for each in unknown:
            places, place = by_webhook[each.key.webhook_id], each.pack.looked_to or ""
            places[each.key] = max(place, places.get(each.key, ""))
        units = min(LOOK_UNITS_OF_WEBHOOK, LOOK_UNITS // len(by_webhook))
        looks = list(self._workers.map(partial(self._look_for, units=units), list(by_webhook.values())))
        return replace(
            read,
            logged={**read.logged, **_joined(each.logged for each in looks)},
            newer=read.newer.union(*(each.newer for each in looks)),
            unread=frozenset().union(*(each.unread for each in looks)),
            looked_to=_joined(each.looked_to for each in looks),
        )

    def _look_for(self, places: Mapping[LogKey, str], *, units: int) -> BatchContext:
        """Look for a webhook's deliveries, each behind the place that looks before came to."""
        [webhook_id] = {each.webhook_id for each in places}
        try:
            found = self._reader.look(list(places), after=places, units=units)
        except UnavailableError as error:
            logger.warning("delivery_log.unread", extra={"webhook_id": webhook_id, "reason": str(error)})
            return BatchContext({}, {}, unread=frozenset(places))
        if found.looked_to:
            extra = {"webhook_id": webhook_id, "deliveries": len(found.looked_to)}
            logger.info("delivery_log.look_goes_on", extra=extra)
        return found

    def load_credentials(self, webhooks: Iterable[Webhook]) -> Mapping[str, Credential | Exception]:
        """Return the credentials that webhooks send, or their errors, as `Loaded.credentials`."""
        authenticated = [each for each in webhooks if each.definition.endpoint.auth_type is not AuthType.NONE]
        if not authenticated:
            return {}
        found: dict[str, Credential | Exception] = {}
        for each in authenticated:  # here, as handing it to a worker would take more CPU than the rest of it
            if each.credential and (known := self._credentials.known(each.credential)):
                found[each.id] = _checked(each, known)
        unknown = [each for each in authenticated if each.id not in found]
        read = self._workers.map(self._read_credential, unknown)
        found |= zip([each.id for each in unknown], read, strict=True)
        missing = [each for each in authenticated if isinstance(found[each.id], CredentialMissingError)]
        if not missing:
            return found
        self._cache.forget([each.id for each in missing])
        return found | dict.fromkeys(self._changed(missing), StaleError())

    def _read_credential(self, webhook: Webhook) -> Credential | Exception:
        if webhook.credential is None:
            return CredentialMissingError(webhook.id)
        try:
            return _checked(webhook, self._credentials.read(webhook.credential))
        except Exception as error:  # noqa: BLE001 - the boundary of one webhook: it costs no other's deliveries
            return error

    def _changed(self, webhooks: Sequence[Webhook]) -> set[str]:
        """Return the ids of those that are no more as the batch read them: a change can take a credential."""
        try:
            now = self._reader.read([(each.scope, each.id) for each in webhooks], []).webhooks
        except UnavailableError:
            return {each.id for each in webhooks}
        return {
            before.id
            for before in webhooks
            if not isinstance(after := now.get((before.scope, before.id)), Webhook)
            or after.revision != before.revision
        }


def _joined[V](parts: Iterable[Mapping[LogKey, V]]) -> dict[LogKey, V]:
    return {each: value for part in parts for each, value in part.items()}


def is_repeat(decoded: Decoded, known: Logged | None) -> bool:
    """Tell whether a message, or its like, was settled before.

    The log has more attempts then; or it has as many, and the delivery is delivered or held, and the message
    does not release it. A retry can come after a success where its first attempt was never recorded.
    """
    if known is None:
        return False
    is_settled = known.outcome in (Outcome.DELIVERED, Outcome.HELD) and decoded.pack.release is None
    return known.tries > decoded.delivery.tries or (is_settled and known.tries == decoded.delivery.tries)


def may_have_been_sent(decoded: Decoded, lane: Lane, *, now: int) -> bool:
    """Tell whether a delivery that was never tried, as its message says, can be in the log all the same.

    `now` in epoch ms. Of those that are fresh from fan-out and received for the first time, only repeats can.
    """
    is_fresh = lane is Lane.FAST and decoded.message.receives <= 1
    return not is_fresh or may_be_kept_together(decoded.pack, decoded.delivery, now=now)


def is_held(pack: Pack, webhook: Webhook) -> bool:
    """Tell whether deliveries are held now; an endpoint that is down sees probes alone."""
    return webhook.definition.paused or (webhook.holds and not pack.is_probe)


def is_deferred(webhook: Webhook, lane: Lane) -> bool:
    """Tell whether deliveries that came by a lane are left to the slow one."""
    return lane is Lane.FAST and webhook.health.slow_since is not None


def _checked(webhook: Webhook, credential: Credential) -> Credential | Exception:
    """Return a credential, or the error where a part of it is missing."""
    if webhook.definition.endpoint.auth_type is AuthType.OAUTH2:
        try:
            client_of(webhook, credential)
        except CredentialMissingError as error:
            return error
    return credential


def client_of(webhook: Webhook, credential: Credential | None) -> ClientCredentials:
    """Return the OAuth 2 client of a webhook. Raises CredentialMissingError where a part of it is missing."""
    endpoint = webhook.definition.endpoint
    if credential is None or not (
        credential.client_id and credential.client_secret and endpoint.oauth_token_url
    ):
        raise CredentialMissingError(webhook.id)
    return ClientCredentials(
        token_url=endpoint.oauth_token_url,
        client_id=credential.client_id,
        client_secret=credential.client_secret,
        scopes=endpoint.oauth_scopes,
    )
