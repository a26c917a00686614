"""Who calls, and what their license lets them do."""

from dataclasses import dataclass, field
from enum import StrEnum

from signing import PublicKey
from webhooks.domain.scope import Scope

ANY = "*"


class AuthLevel(StrEnum):
    """What a license was issued for."""

    SYSTEM = "system"
    SERVICE = "service"
    SERVICE_EXT = "service_ext"


@dataclass(frozen=True, slots=True)
class License:
    """What a license key stands for. `expires_at`: epoch seconds, None for never; "*" as community: all."""

    auth_level: AuthLevel
    tenant_id: str = ANY
    community_id: str = ANY
    expires_at: int | None = None
    disabled: bool = False
    label: str = ""

    def holds(self, now: float) -> bool:
        """Tell whether it may be used at all."""
        return not self.disabled and (self.expires_at is None or now < self.expires_at)

    @property
    def is_global(self) -> bool:
        """Tell whether it is for the deployment itself: a system license for every tenant and community."""
        return self.auth_level is AuthLevel.SYSTEM and self.tenant_id == ANY and self.community_id == ANY

    def reaches(self, scope: Scope) -> bool:
        """Tell whether it is for this community; only a system license may be for all of them."""
        if self.community_id == ANY:
            return self.auth_level is AuthLevel.SYSTEM and self.tenant_id in (ANY, scope.tenant_id)
        return self.community_id == scope.community_id and self.tenant_id in (ANY, scope.tenant_id)


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller. `shared_key` seals what only they may read.

    `service_key` is the service's public key that they used, in the wire's form; `request_uuid` is None where
    the request has none.
    """

    app_id: str
    request_uuid: str | None
    public_key: PublicKey
    license: License
    service_key: str
    shared_key: bytes = field(repr=False)

    @property
    def sees_credentials(self) -> bool:
        """Tell whether answers to this caller hold credentials."""
        return self.license.auth_level is AuthLevel.SYSTEM
