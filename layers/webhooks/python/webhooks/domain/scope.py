"""The tenant and community to which webhooks and events belong."""

import re
from dataclasses import dataclass
from hashlib import sha256

# Ids of tenants and communities; they become parts of keys and of secrets' names.
IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
IDENTIFIER_RULE = "1 to 64 letters, digits, '.', '_' or '-'"


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """A community of a tenant: webhooks and events belong to exactly one."""

    tenant_id: str
    community_id: str

    @property
    def fairness_group(self) -> str:
        """Return the `MessageGroupId` of its messages: a queue shares itself fairly between the groups."""
        return sha256(f"{self.tenant_id}\n{self.community_id}".encode()).hexdigest()[:32]
