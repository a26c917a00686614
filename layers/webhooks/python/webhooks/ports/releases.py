"""A release as CodeDeploy shifts it: the versions that get traffic next, and the result of their check."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from webhooks.domain.values import value_type


@value_type(frozen=True, slots=True)
class NewVersion:
    """A function's published version that gets traffic next."""

    function: str
    version: str


class Deployments(Protocol):
    """Deployments that wait for the check of a release."""

    def new_versions(self, deployment_id: str) -> Sequence[NewVersion]:
        """Return the versions of a deployment. Raises UnavailableError, also for a form that is not known."""

    def report(self, deployment_id: str, execution_id: str, *, is_good: bool) -> None:
        """Let a deployment go on, or end it."""


class Versions(Protocol):
    """Published versions of functions."""

    def probe(self, version: NewVersion) -> Mapping[str, str]:
        """Invoke a version with a probe; return the reason of each part that failed.

        Raises UnavailableError where it does not answer the probe at all.
        """
