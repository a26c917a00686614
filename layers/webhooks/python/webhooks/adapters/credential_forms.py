"""Webhooks' credentials in both forms: each is read in its own; the deployment chooses the one to write."""

from collections.abc import Callable, Sequence

from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, CredentialRef, SealedCredential, StoredCredential
from webhooks.ports import Credentials, CredentialSeal

type WebhookOf = Callable[[str], tuple[Scope, str] | None]  # the webhook in a secret's name


class CredentialForms:
    """Secrets and sealed credentials as one. `seals`: new ones are sealed; else each is a secret.

    `webhook_of`: reads a secret's name.
    """

    def __init__(
        self, secrets: Credentials[CredentialRef], seal: CredentialSeal, *, seals: bool, webhook_of: WebhookOf
    ) -> None:
        self._secrets = secrets
        self._seal = seal
        self._seals = seals
        self._webhook_of = webhook_of

    def create(self, scope: Scope, webhook_id: str, *, credential: Credential) -> StoredCredential:
        """Make a webhook's credential in the form that is written."""
        if self._seals:
            return self._seal.seal(scope, webhook_id, credential)
        return self._secrets.create(scope, webhook_id, credential=credential)

    def replace(self, ref: StoredCredential, credential: Credential) -> StoredCredential:
        """Make the credential that follows another, in the form that is written."""
        if isinstance(ref, SealedCredential):
            return self.create(ref.scope, ref.webhook_id, credential=credential)
        if self._seals and (webhook := self._webhook_of(ref.secret_name)):
            return self._seal.seal(*webhook, credential)
        return self._secrets.replace(ref, credential)

    def settle(self, ref: StoredCredential) -> None:
        """Make a secret's version its current one; a sealed credential changed with its webhook."""
        if isinstance(ref, CredentialRef):
            self._secrets.settle(ref)

    def read(self, ref: StoredCredential) -> Credential:
        """Return a credential. Raises CredentialMissingError."""
        return self._seal.open(ref) if isinstance(ref, SealedCredential) else self._secrets.read(ref)

    def known(self, ref: StoredCredential) -> Credential | None:
        """Return a credential that is cached."""
        return self._seal.known(ref) if isinstance(ref, SealedCredential) else self._secrets.known(ref)

    def read_many(self, refs: Sequence[StoredCredential]) -> Sequence[Credential | None]:
        """Return several, in their order; None where one is missing."""
        sealed = [each for each in refs if isinstance(each, SealedCredential)]
        secrets = [each for each in refs if isinstance(each, CredentialRef)]
        opened, read = iter(self._seal.open_many(sealed)), iter(self._secrets.read_many(secrets))
        return [next(opened if isinstance(each, SealedCredential) else read) for each in refs]

    def delete(self, ref: StoredCredential) -> None:
        """Delete a secret; a sealed credential went with its webhook's change."""
        if isinstance(ref, CredentialRef):
            self._secrets.delete(ref)
