"""Callers, and what their licenses let them do."""

from dataclasses import field
from enum import StrEnum
from hashlib import sha256

from signing import PublicKey
from webhooks.domain.errors import ForbiddenError
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type

ANY = "*"


class AuthLevel(StrEnum):
    """The purpose of a license."""

    SYSTEM = "system"
    SERVICE = "service"
    SERVICE_EXT = "service_ext"


@value_type(frozen=True, slots=True)
class License:
    """A license. `expires_at`: epoch seconds, None for never; "*" as tenant or community: all of them."""

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

    def counts_for(self, scope: Scope) -> str:
        """Return whose rate a request for this community uses: that of the license, whatever its path says.

        One for every tenant is the operator's: its requests for a tenant count by themselves. One for a
        community of any tenant counts for this community: its caller may write any tenant into the path.
        """
        if self.tenant_id != ANY:
            return self.tenant_id
        return f"{ANY}{scope.tenant_id}" if self.community_id == ANY else f"{ANY}/{self.community_id}"


@value_type(frozen=True, slots=True)
class TenantlessLicense(License):
    """A license whose issuer names no tenant: `tenant_id` is what its caller wrote into the path."""

    def counts_for(self, scope: Scope) -> str:  # noqa: ARG002 - overrides
        """Return whose rate a request uses: that of the license's community."""
        return f"{ANY}/{self.community_id}"


@value_type(frozen=True, slots=True)
class Caller:
    """An authenticated caller. `shared_key` encrypts the values that only they may read.

    `service_key` is the service's public key that they used; `request_uuid` and `request_ts` (epoch seconds)
    may be absent.
    """

    app_id: str
    request_uuid: str | None
    public_key: PublicKey
    license: License
    service_key: PublicKey
    shared_key: bytes = field(repr=False)
    request_ts: float | None = None

    @property
    def sees_credentials(self) -> bool:
        """Tell whether responses to this caller hold credentials."""
        return self.license.auth_level is AuthLevel.SYSTEM

    def require_community(self, scope: Scope) -> None:
        """Raise ForbiddenError unless the license reaches the community."""
        if not self.license.reaches(scope):
            raise ForbiddenError("this license does not reach this tenant and community")

    def require_operator(self) -> None:
        """Raise ForbiddenError without an unscoped system license: service keys serve every tenant."""
        if not self.license.is_global:
            raise ForbiddenError(
                "a license of auth level system that is for every tenant and community is required; "
                "the deployment's operator issues it"
            )


def hash_license_key(license_key: str) -> str:
    """Return the hash under which a license is stored; a key is random, so it needs no salt."""
    return sha256(license_key.encode("utf-8", "surrogatepass")).hexdigest()
