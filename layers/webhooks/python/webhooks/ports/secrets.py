"""Credentials, key pairs, the master secret and licenses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Credential, SealedCredential, StoredCredential

if TYPE_CHECKING:  # a function loads the values of its own use cases alone
    from webhooks.domain.caller import License
    from webhooks.domain.keyring import KeyPairs


class Credentials[R = StoredCredential](Protocol):
    """Webhooks' credentials, each a secret with versions, or sealed in its webhook's item.

    Both forms are read; which one is written is the deployment's choice. An adapter of one form has it as R.
    """

    def create(self, scope: Scope, webhook_id: str, *, credential: Credential) -> R:
        """Store a webhook's first credential; a sealed one is stored with the webhook itself."""

    def replace(self, ref: R, credential: Credential) -> R:
        """Store a new version beside the one in use, which stays readable until `settle`."""

    def settle(self, ref: R) -> None:
        """Make this version the secret's current one: a webhook points to it now."""

    def read(self, ref: R) -> Credential:
        """Return a credential; a version never changes: it may be cached. Raises CredentialMissingError."""

    def known(self, ref: R) -> Credential | None:
        """Return a credential that is cached; None where it would have to be read."""

    def read_many(self, refs: Sequence[R]) -> Sequence[Credential | None]:
        """Return several, in their order; None where one is missing."""

    def delete(self, ref: R) -> None:
        """Delete a credential with all its versions; absent is fine."""


class CredentialSeal(Protocol):
    """Encrypts credentials, each for its webhook."""

    def seal(self, scope: Scope, webhook_id: str, credential: Credential) -> SealedCredential:
        """Encrypt a webhook's credential. Raises InvalidWebhookError for one that is too large."""

    def open(self, sealed: SealedCredential) -> Credential:
        """Decrypt a credential. Raises CredentialMissingError for one that does not open."""

    def known(self, sealed: SealedCredential) -> Credential | None:
        """Return a credential that is cached; None where it would have to be decrypted."""

    def open_many(self, sealed: Sequence[SealedCredential]) -> Sequence[Credential | None]:
        """Decrypt several, in their order; None where one does not open."""


@value_type(frozen=True, slots=True)
class ListedCredential:
    """A credential's secret as the account lists it; `created_at` in epoch seconds.

    `is_bound`: it belongs to this deployment's table and stack, and not to another deployment of its name.
    """

    secret_name: str
    scope: Scope
    webhook_id: str
    created_at: float
    is_bound: bool


class CredentialSecrets(Protocol):
    """All credentials' secrets, for the orphan cleanup."""

    def listed(self) -> Sequence[ListedCredential]:
        """Return every credential's secret, without those that are scheduled for deletion."""

    def expire(self, secret_name: str) -> None:
        """Schedule a secret's deletion; until then an operator can restore it. An absent secret is fine."""


class KeyStore(Protocol):
    """One set of key pairs in its secret."""

    def read(self) -> KeyPairs:
        """Return the pairs as they were some seconds ago; the last known ones while they cannot be read."""

    def read_now(self) -> KeyPairs:
        """Return the pairs as they are now."""

    def replace(self, before: KeyPairs, after: KeyPairs) -> None:
        """Store new pairs. Raises StaleError if `before` is not the stored set."""


class MasterSecret(Protocol):
    """The secret from which the webhooks' own secrets are derived."""

    def read(self) -> bytes:
        """Return the master; the last known one while it cannot be read."""


class Licenses(Protocol):
    """The licenses of this deployment, or of the License service."""

    def find(self, license_key: str, scope: Scope | None) -> License | None:
        """Return the key's license, or None; `scope`: the community in the request's path."""
