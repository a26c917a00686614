"""Webhooks' credentials in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import RLock

from tests.fakes.faults import Fault, effect, no_fault
from webhooks.domain.errors import CredentialMissingError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, CredentialRef, SealedCredential, StoredCredential
from webhooks.ports import Clock, ListedCredential, RandomBytes


@dataclass(slots=True)
class _Secret:
    listed: ListedCredential
    versions: dict[str, Credential] = field(default_factory=dict)
    current: str = ""


class FakeCredentials:
    """Secrets by name, each with its versions, and sealed credentials: Credentials and CredentialSecrets.

    `seals`: what is written is sealed; a test may change it.
    """

    def __init__(
        self, *, clock: Clock, random_bytes: RandomBytes, fault: Fault = no_fault, seals: bool = False
    ) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._fault = fault
        self.seals = seals
        self._lock = RLock()
        self._secrets: dict[str, _Secret] = {}
        self._sealed: dict[SealedCredential, Credential] = {}
        self._expiring: set[str] = set()

    def create(self, scope: Scope, webhook_id: str, *, credential: Credential) -> StoredCredential:
        """Store a webhook's first credential."""
        if self.seals:
            return self._seal(scope, webhook_id, credential)
        with self._lock, effect(self._fault, "credentials.create"):
            name = f"{scope.tenant_id}/{scope.community_id}/{webhook_id}-{self._random_bytes(4).hex()}"
            ref = CredentialRef(name, self._random_bytes(16).hex())
            listed = ListedCredential(name, scope, webhook_id, self._clock(), is_bound=True)
            self._secrets[name] = _Secret(listed, {ref.version_id: credential}, ref.version_id)
            return ref

    def replace(self, ref: StoredCredential, credential: Credential) -> StoredCredential:
        """Store a new version beside the one in use; a new secret where that one is gone."""
        if isinstance(ref, SealedCredential):
            return self.create(ref.scope, ref.webhook_id, credential=credential)
        with self._lock:
            secret = self._secrets.get(ref.secret_name)
            if self.seals or secret is None or ref.secret_name in self._expiring:
                tenant_id, community_id, rest = ref.secret_name.split("/")
                webhook_id = rest.partition("-")[0]
                return self.create(Scope(tenant_id, community_id), webhook_id, credential=credential)
            with effect(self._fault, "credentials.replace"):
                after = CredentialRef(ref.secret_name, self._random_bytes(16).hex())
                secret.versions[after.version_id] = credential
                return after

    def settle(self, ref: StoredCredential) -> None:
        """Make this version the current one."""
        if isinstance(ref, CredentialRef):
            with self._lock, effect(self._fault, "credentials.settle"):
                if secret := self._secrets.get(ref.secret_name):
                    secret.current = ref.version_id

    def read(self, ref: StoredCredential) -> Credential:
        """Return a credential. Raises CredentialMissingError."""
        with self._lock, effect(self._fault, "credentials.read"):
            if isinstance(ref, SealedCredential):
                if ref not in self._sealed:
                    raise CredentialMissingError("the sealed credential does not open")
                return self._sealed[ref]
            secret = self._secrets.get(ref.secret_name)
            if secret is None or ref.version_id not in secret.versions or ref.secret_name in self._expiring:
                raise CredentialMissingError(f"the secret {ref.secret_name} has no such version")
            return secret.versions[ref.version_id]

    def known(self, _ref: StoredCredential) -> Credential | None:
        """Return None: nothing is cached."""

    def read_many(self, refs: Sequence[StoredCredential]) -> Sequence[Credential | None]:
        """Return several, in their order; None where one is missing."""
        return [self._read_or_none(ref) for ref in refs]

    def delete(self, ref: StoredCredential) -> None:
        """Delete a credential with all its versions."""
        if isinstance(ref, CredentialRef):
            with self._lock, effect(self._fault, "credentials.delete"):
                self._secrets.pop(ref.secret_name, None)

    def listed(self) -> Sequence[ListedCredential]:
        """Return every credential's secret, but for those that wait for their deletion."""
        with self._lock:
            return [secret.listed for name, secret in self._secrets.items() if name not in self._expiring]

    def expire(self, secret_name: str) -> None:
        """Have a secret deleted later."""
        with self._lock, effect(self._fault, "credentials.expire"):
            self._expiring.add(secret_name)

    def current(self, secret_name: str) -> str:
        """Return the id of a secret's current version, for a test."""
        with self._lock:
            return self._secrets[secret_name].current

    def _seal(self, scope: Scope, webhook_id: str, credential: Credential) -> SealedCredential:
        with self._lock, effect(self._fault, "credentials.seal"):
            sealed = SealedCredential(scope, webhook_id, self._random_bytes(16).hex())
            self._sealed[sealed] = credential
            return sealed

    def _read_or_none(self, ref: StoredCredential) -> Credential | None:
        try:
            return self.read(ref)
        except CredentialMissingError:
            return None
