"""A check: a sentence that holds or not, the evidence, and the reason where it cannot be seen."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from acceptance.errors import AcceptanceError
from acceptance.report import FAILED, NOT_HERE, PASSED, Result
from acceptance.site import Site
from acceptance.teardown import Steps
from local.errors import LocalError


class NotHere(Exception):  # noqa: N818 - no error: the place is wrong, not the service
    """The check shows nothing in this account; the message is the reason."""


@dataclass(frozen=True)
class Check:
    """`see` returns the evidence, or raises. `emulator`: the reason why an emulator cannot show it."""

    name: str
    see: Callable[[Site], str]
    emulator: str = ""


def expect(holds: object, otherwise: object) -> None:
    """Raise AssertionError with the text unless it holds."""
    if not holds:
        raise AssertionError(str(otherwise))


def perform(checks: Sequence[Check], site: Site, shown: Steps, results: list[Result]) -> None:
    """Do all checks, whatever their results are; each adds its result."""
    for check in checks:
        if site.account.is_emulator and check.emulator:
            results.append(Result(check.name, NOT_HERE, check.emulator, 0.0))
            continue
        began = time.monotonic()
        try:
            with shown.step(check.name):
                outcome, evidence = _see(check, site)
        except (AssertionError, AcceptanceError, LocalError, BotoCoreError, ClientError, OSError) as error:
            outcome, evidence = FAILED, str(error) or repr(error)
        except Exception as error:  # noqa: BLE001 - one check must not hide the results of the others
            outcome, evidence = FAILED, repr(error)
        results.append(Result(check.name, outcome, evidence, time.monotonic() - began))


def _see(check: Check, site: Site) -> tuple[str, str]:
    try:
        return PASSED, check.see(site)
    except NotHere as reason:
        return NOT_HERE, str(reason)
