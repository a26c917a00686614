"""The tear-down: deletes the stacks of a run, then everything that they keep, and lists what is left.

Nothing is deleted without the tag of the run, which is read from the resource itself right before.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from acceptance import kept
from acceptance.account import Account
from acceptance.deployed import describe, tags_of
from acceptance.errors import AcceptanceError
from acceptance.names import TAG, Names

STACK_SECONDS = 1800
POLL_SECONDS = 5.0
TRIES = 2  # a deletion that fails, by a resource that was still in use, is tried once more
# A creation can be deleted while it is in progress, and so can a change set that was never executed.
DELETABLE = ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS")


class Steps(Protocol):
    """Shows steps; `local.progress.Progress` implements it."""

    def step(self, text: str) -> AbstractContextManager[None]:
        """Show a step while it lasts."""
        ...


@dataclass
class TornDown:
    """Lines about everything that was deleted, that stays by design, and that is left against it."""

    deleted: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class TearDown:
    """Deletes everything of a run, of this process or of one that was killed."""

    def __init__(self, account: Account, names: Names, steps: Steps, *, poll: float = POLL_SECONDS) -> None:
        self._account = account
        self._names = names
        self._steps = steps
        self._poll = poll

    def __call__(self, stacks: Sequence[str] | None = None) -> TornDown:
        """Delete the stacks, or all of them and everything else. A failure becomes a line of `left`."""
        done = TornDown()
        for stack in self._names.stacks if stacks is None else stacks:
            self._guarded(done, f"delete the stack {stack}", partial(self._stack, stack, done))
        if stacks is None:
            self._guarded(done, "delete resources that stacks keep", lambda: self._kept(done))
            self._guarded(done, "look for anything that is left", lambda: self._leftovers(done))
        return done

    def _guarded(self, done: TornDown, text: str, work: Callable[[], None]) -> None:
        """Do a part, so that its failure does not keep the others from being done."""
        try:
            with self._steps.step(text):
                work()
        except (BotoCoreError, ClientError, OSError, AcceptanceError) as error:
            done.left.append(f"{text}: {error}")

    def _stack(self, name: str, done: TornDown) -> None:
        found = self._settled(name)
        if found is None:
            return
        if not self._names.own(tags_of(found)):
            done.stays.append(f"stack {name}: it has no tag {TAG}={self._names.service}, and was not touched")
            return
        ended: dict[str, Any] | None = None
        for _ in range(TRIES):
            self._account.client("cloudformation").delete_stack(StackName=found["StackId"])
            ended = self._deleted(found["StackId"])
            if ended is None:
                done.deleted.append(f"stack {name}")
                return
        reason = (ended or {}).get("StackStatusReason", "no reason given")
        done.left.append(f"stack {name}: its deletion failed: {reason}")

    def _settled(self, name: str) -> dict[str, Any] | None:
        """Return the stack as soon as it can be deleted; None where there is none."""
        return self._wait(
            name, lambda status: not status.endswith("_IN_PROGRESS") or status in DELETABLE, name=name
        )

    def _deleted(self, stack_id: str) -> dict[str, Any] | None:
        """Wait for the end of a deletion; returns the stack where it failed."""
        found = self._wait(
            stack_id, lambda status: status in {"DELETE_COMPLETE", "DELETE_FAILED"}, name=stack_id
        )
        return found if found and found["StackStatus"] == "DELETE_FAILED" else None

    def _wait(self, stack: str, ends: Callable[[str], bool], *, name: str) -> dict[str, Any] | None:
        until = time.monotonic() + STACK_SECONDS
        while (found := describe(self._account, stack)) is not None:
            if ends(found["StackStatus"]):
                return found
            if time.monotonic() > until:
                raise AcceptanceError(f"{name} is {found['StackStatus']} after {STACK_SECONDS} s")
            time.sleep(self._poll)
        return None

    def _kept(self, done: TornDown) -> None:
        for resource in kept.find(self._account, self._names):
            if resource.pending or not self._names.own(resource.tags):
                continue
            text = f"{resource.kind} {resource.id}"
            try:
                reason = resource.delete()
            except (BotoCoreError, ClientError) as error:
                reason = str(error)
            if reason:
                done.left.append(f"{text}: {reason}")
            else:
                done.deleted.append(text)

    def _leftovers(self, done: TornDown) -> None:
        for resource in kept.find(self._account, self._names):
            text = f"{resource.kind} {resource.id}"
            if not self._names.own(resource.tags):
                done.stays.append(f"{text}: it has no tag {TAG}={self._names.service}, and was not touched")
            elif resource.pending:
                done.stays.append(f"{text}: {resource.pending}")
            elif not any(line.startswith(text) for line in done.left):
                done.left.append(f"{text}: it is still there")
        for arn in kept.indexed(self._account, self._names):
            if ":kms:" not in arn:
                done.stays.append(
                    f"{arn}: in the index of tags, which is late; it is probably deleted already"
                )
