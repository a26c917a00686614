"""The names and the tag of everything that a run creates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from acceptance.errors import RefusedError

TAG = "webhooks:acceptance"
SUFFIX = "-acceptance"
# Stack, queue, bucket and secret names are made from it; a bucket's name has 63 characters at most.
STACK = re.compile(r"[a-z][a-z0-9-]{0,14}")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one run, by the STACK that the caller chose.

    All have a suffix of their own, so that a run never has the name of a deployment that is in use.
    """

    chosen: str

    @property
    def service(self) -> str:
        """Return the name of the service's stack; it is also the tag's value."""
        return f"{self.chosen}{SUFFIX}"

    @property
    def receiver(self) -> str:
        """Return the name of the receiver's stack."""
        return f"{self.service}-receiver"

    @property
    def failing(self) -> str:
        """Return the name of the stack whose creation fails on purpose."""
        return f"{self.service}-failing"

    @property
    def stacks(self) -> tuple[str, ...]:
        """Return the names of all stacks, in the order in which they are deleted."""
        return self.failing, self.receiver, self.service

    @property
    def prefix(self) -> str:
        """Return the start of the names that CloudFormation makes for the resources of all stacks."""
        return f"{self.service}-"

    @property
    def credentials(self) -> tuple[str, ...]:
        """Return the starts of the names of webhooks' secrets."""
        return tuple(f"{stack}/" for stack in self.stacks)

    @property
    def log_groups(self) -> tuple[str, ...]:
        """Return the starts of the names of log groups."""
        return tuple(f"/{stack}/" for stack in self.stacks)

    @property
    def bus(self) -> str:
        """Return the name of the event bus; its rule has it too."""
        return f"{self.service}-bus"

    @property
    def tags(self) -> dict[str, str]:
        """Return the tag of everything that a run creates."""
        return {TAG: self.service}

    def bucket(self, account_id: str, region: str) -> str:
        """Return the name of the bucket for the deployments' artefacts."""
        return f"{self.service}-{account_id}-{region}"

    def own(self, tags: Mapping[str, str]) -> bool:
        """Tell whether a resource with these tags was created by a run of this name."""
        return tags.get(TAG) == self.service


def names_of(stack: str) -> Names:
    """Return the names. Raises RefusedError."""
    if not STACK.fullmatch(stack):
        raise RefusedError(
            f"STACK={stack!r}: give a name of at most 15 lower-case letters, digits and hyphens, a letter "
            f"first; the stack is called <name>{SUFFIX}"
        )
    return Names(stack)
