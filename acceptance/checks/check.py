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


def perform(checks: Sequence[Check], site: Site, shown: Steps) -> list[Result]:
    """Do all checks, whatever their results are."""
    return [_perform(check, site, shown) for check in checks]


def _perform(check: Check, site: Site, shown: Steps) -> Result:
    began = time.monotonic()

    def result(outcome: str, evidence: object) -> Result:
        return Result(check.name, outcome, str(evidence) or "no reason given", time.monotonic() - began)

    if site.account.is_emulator and check.emulator:
        return result(NOT_HERE, check.emulator)
    try:
        with shown.step(check.name):
            return result(PASSED, check.see(site))
    except NotHere as reason:
        return result(NOT_HERE, reason)
    except (AssertionError, AcceptanceError, LocalError, BotoCoreError, ClientError, OSError) as error:
        return result(FAILED, error)
    except Exception as error:  # noqa: BLE001 - one check must not hide the results of the others
        return result(FAILED, repr(error))
