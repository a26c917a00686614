"""A function that calls AWS, as an object that can be closed."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.bootstrap.runtime import invocation
from webhooks.ports import Probe, TimeLeft


@dataclass(frozen=True, kw_only=True)
class AwsApp:
    """A composed function. `opened`: what `compose` opened itself, and `close` closes in reverse order.

    `probes`: what it needs, for the check of a release (entrypoints.probe).
    """

    aws: AwsClients
    opened: ExitStack
    probes: Mapping[str, Probe]

    def close(self) -> None:
        self.opened.close()


def open_clients(
    opened: ExitStack, given: AwsClients | None, *, time_left: TimeLeft = invocation.left
) -> AwsClients:
    """Return the given clients, or new ones that are closed with the app."""
    if given is not None:
        return given
    aws = AwsClients(time_left=time_left)
    opened.callback(aws.close)
    return aws
