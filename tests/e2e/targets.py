"""The stack that the tests run against, and the receiver of its callbacks.

By default both are on this machine. E2E_TARGET=aws:<stack> names a stack of the caller's account, as `make aws-accept`
does; the receiver is then the stack <stack>-receiver.
"""

import os
from typing import Protocol, Self

from acceptance.account import open_account
from acceptance.deployed import Deployed
from acceptance.remote_receiver import RemoteReceiver
from tests.receiver import Receiver
from tests.receiver_scripts import Received, Script

TARGET = "E2E_TARGET"
PREFIX = "aws:"
# A URL that a webhook may have and no test calls.
UNCALLED_URL = (
    "https://example.com/hook"
    if os.environ.get(TARGET) and not os.environ.get("AWS_ENDPOINT_URL")
    else "http://127.0.0.1:9/hook"
)


class CallbackReceiver(Protocol):
    """A receiver on loopback, or in the account. Scripts other than `reply` and `token` are for loopback alone."""

    @property
    def url(self) -> str: ...
    @property
    def requests(self) -> list[Received]: ...
    def script(self, *scripts: Script, path: str | None = None) -> None: ...
    def wait_for(self, count: int, *, seconds: float = 5.0, path: str | None = None) -> list[Received]: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exc: object) -> None: ...


def deployed_target() -> Deployed | None:
    """Return the stack that E2E_TARGET names; None where it names none."""
    named = os.environ.get(TARGET, "")
    if not named:
        return None
    if not named.startswith(PREFIX):
        raise ValueError(f"{TARGET} is {PREFIX}<stack>, not {named}")
    return Deployed(open_account(), named.removeprefix(PREFIX))


def open_receiver() -> CallbackReceiver:
    """Return a receiver that the target's callbacks reach; it works from `with` on."""
    target = deployed_target()
    return Receiver() if target is None else RemoteReceiver(target.account, f"{target.name}-receiver")
