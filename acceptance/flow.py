"""The order of a run: its steps until one fails, and the tear-down in any case."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from acceptance.errors import AcceptanceError
from acceptance.report import FAILED, PASSED, Report, Result
from acceptance.teardown import Steps, TornDown
from local.errors import LocalError

PASSED_CODE, FAILED_CODE, REFUSED_CODE, LEFT_CODE, INTERRUPTED_CODE = 0, 1, 2, 3, 130
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Step:
    """A step: its work returns the evidence. `goes_on`: the steps after it are done where it fails, too."""

    name: str
    work: Callable[[], str]
    goes_on: bool = False


def run(
    steps: Sequence[Step],
    *,
    report: Report,
    tear_down: Callable[[], TornDown] | None,
    shown: Steps,
    say: Callable[[str], None],
) -> int:
    """Do the steps, then the tear-down (None keeps everything); returns the exit code."""
    code = PASSED_CODE
    try:
        with _interruptible():
            code = _do(steps, report, shown)
    except KeyboardInterrupt:
        code = INTERRUPTED_CODE
        say("interrupted: the tear-down follows" if tear_down else "interrupted; KEEP=1 keeps the stacks")
    finally:
        if tear_down is not None:
            with _uninterrupted(say):
                done = tear_down()
            report.deleted, report.stays, report.left = done.deleted, done.stays, done.left
        else:
            report.stays = ["all stacks of the run, by KEEP=1: `make aws-accept-clean` deletes them"]
        report.ended = time.time()
    if code == PASSED_CODE and report.failures:
        code = FAILED_CODE
    report.outcome = {PASSED_CODE: "passed", INTERRUPTED_CODE: "interrupted"}.get(code, "failed")
    return LEFT_CODE if report.left and code == PASSED_CODE else code


def _do(steps: Sequence[Step], report: Report, shown: Steps) -> int:
    """Do the steps; returns the code of the first failure that ends them."""
    for step in steps:
        began = time.monotonic()
        try:
            with shown.step(step.name):
                evidence = step.work()
        except (AcceptanceError, LocalError, BotoCoreError, ClientError, OSError) as error:
            report.steps.append(Result(step.name, FAILED, str(error), time.monotonic() - began))
            if not step.goes_on:
                return FAILED_CODE
        except BaseException as error:
            reason = "interrupted" if isinstance(error, KeyboardInterrupt) else repr(error)
            report.steps.append(Result(step.name, FAILED, reason, time.monotonic() - began))
            raise
        else:
            report.steps.append(Result(step.name, PASSED, evidence, time.monotonic() - began))
    return PASSED_CODE


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let every signal that ends a process end the steps alone."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled(interrupt):
        yield


@contextmanager
def _uninterrupted(say: Callable[[str], None]) -> Iterator[None]:
    """Finish the tear-down in spite of a signal: half of it would leave what costs."""

    def go_on(_number: int, _frame: FrameType | None) -> None:
        say("the tear-down goes on; `make aws-accept-clean` does it again where this process is killed")

    with _handled(go_on):
        yield


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {each: signal.signal(each, handler) for each in ENDING}
    try:
        yield
    finally:
        for each, former in before.items():
            signal.signal(each, former)
