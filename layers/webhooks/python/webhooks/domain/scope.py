"""Whose things: a tenant's community."""

import re
from dataclasses import dataclass
from hashlib import sha256

# What a tenant's and a community's id may look like: they become parts of keys and of secrets' names.
IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
IDENTIFIER_RULE = "1 to 64 letters, digits, '.', '_' or '-'"


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """A community of a tenant: webhooks and events belong to exactly one."""

    tenant_id: str
    community_id: str

    @property
    def fairness_group(self) -> str:
        """Return the group by which a queue is fair: one for all messages of a community."""
        return sha256(f"{self.tenant_id}\n{self.community_id}".encode()).hexdigest()[:32]
