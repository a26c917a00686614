"""The order of a run: the tear-down comes after success, failure, a fault and every signal."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from acceptance import flow
from acceptance.checks.check import Check, NotHere, expect, perform
from acceptance.errors import AcceptanceError
from acceptance.report import BillLine, Report, Result
from acceptance.site import Site
from acceptance.teardown import TornDown
from tests.unit.acceptance.fake_account import NAMES, FakeAccount


class Quiet:
    def step(self, _text: str) -> AbstractContextManager[None]:
        return nullcontext()


def new_report() -> Report:
    return Report("shop-acceptance", "123456789012", "eu-central-1", False, "1.2.3", began=0.0)


class Torn:
    """A tear-down that notes its calls."""

    def __init__(self, *left: str, work: Callable[[], None] = lambda: None) -> None:
        self.times = 0
        self._left = left
        self._work = work

    def __call__(self) -> TornDown:
        self._work()
        self.times += 1
        return TornDown(deleted=["stack shop-acceptance"], left=list(self._left))


def failing() -> str:
    raise AcceptanceError("no; read the log")


def signalled(number: int) -> Callable[[], str]:
    def work() -> str:
        os.kill(os.getpid(), number)
        time.sleep(5)
        return "not interrupted"

    return work


def ran(*works: Callable[[], str], torn: Torn, goes_on: bool = False, report: Report | None = None) -> int:
    steps = [flow.Step(f"step {number}", work, goes_on) for number, work in enumerate(works)]
    return flow.run(steps, report=report or new_report(), tear_down=torn, shown=Quiet(), say=lambda _: None)


def test_a_run_that_passes_is_torn_down() -> None:
    torn, report = Torn(), new_report()

    assert ran(lambda: "fine", torn=torn, report=report) == flow.PASSED_CODE
    assert (torn.times, report.outcome, report.deleted) == (1, "passed", ["stack shop-acceptance"])


def test_a_failure_in_the_middle_ends_the_steps_and_is_torn_down() -> None:
    torn, report, later = Torn(), new_report(), list[str]()

    def third() -> str:
        later.append("three")
        return "three"

    code = ran(lambda: "one", failing, third, torn=torn, report=report)

    assert (code, torn.times, later, report.outcome) == (flow.FAILED_CODE, 1, [], "failed")
    assert [(each.result, each.evidence) for each in report.steps] == [
        ("passed", "one"),
        ("failed", "no; read the log"),
    ]


def test_failed_tests_do_not_keep_the_checks_and_the_bill_from_being_made() -> None:
    torn, report = Torn(), new_report()

    code = ran(failing, lambda: "bill", torn=torn, goes_on=True, report=report)

    assert (code, torn.times, [each.result for each in report.steps]) == (1, 1, ["failed", "passed"])


def test_a_fault_of_the_run_itself_is_torn_down_too() -> None:
    torn = Torn()

    with pytest.raises(ZeroDivisionError):
        ran(lambda: str(1 // 0), torn=torn)
    assert torn.times == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_steps_and_the_tear_down_follows(number: int) -> None:
    torn, report = Torn(), new_report()

    code = ran(signalled(number), lambda: "later", torn=torn, report=report)

    assert (code, torn.times, report.outcome) == (flow.INTERRUPTED_CODE, 1, "interrupted")
    assert [each.evidence for each in report.steps] == ["interrupted"]


def test_a_signal_during_the_tear_down_does_not_end_it() -> None:
    torn = Torn(work=lambda: os.kill(os.getpid(), signal.SIGINT))

    assert ran(lambda: "fine", torn=torn) == flow.PASSED_CODE
    assert torn.times == 1


def test_signals_are_handled_as_before_afterwards() -> None:
    before = [signal.getsignal(each) for each in flow.ENDING]
    ran(lambda: "fine", torn=Torn())
    assert [signal.getsignal(each) for each in flow.ENDING] == before


def test_something_left_is_an_exit_code_of_its_own() -> None:
    assert ran(lambda: "fine", torn=Torn("queue q: it is still there")) == flow.LEFT_CODE
    assert ran(failing, torn=Torn("queue q: it is still there")) == flow.FAILED_CODE


def test_keep_keeps_and_says_so() -> None:
    report = new_report()
    steps = [flow.Step("one", lambda: "fine")]

    code = flow.run(steps, report=report, tear_down=None, shown=Quiet(), say=lambda _: None)

    assert (code, report.deleted) == (flow.PASSED_CODE, [])
    assert "aws-accept-clean" in report.stays[0]


def results_of(*checks: Check, endpoint: str | None = None) -> list[tuple[str, str]]:
    site, results = Site(FakeAccount(endpoint=endpoint), NAMES, Path()), list[Result]()
    perform(checks, site, Quiet(), results)
    return [(each.result, each.evidence) for each in results]


def test_each_check_has_a_result_whatever_the_others_do() -> None:
    def wrong(_site: Site) -> str:
        expect(False, "428 instead of 429")
        return "never"

    def fault(_site: Site) -> str:
        return dict[str, str]()["x"]

    def nowhere(_site: Site) -> str:
        raise NotHere("the template has no alarms")

    checks = [
        Check(name, see)
        for name, see in (("a", wrong), ("b", fault), ("c", nowhere), ("d", lambda _: "seen"))
    ]

    assert results_of(*checks) == [
        ("failed", "428 instead of 429"),
        ("failed", "KeyError('x')"),
        ("not here", "the template has no alarms"),
        ("passed", "seen"),
    ]


def test_a_check_that_an_emulator_cannot_show_is_not_tried_there() -> None:
    check = Check("tls", lambda _: "seen", emulator="it speaks no TLS")

    assert results_of(check, endpoint="http://127.0.0.1:1") == [("not here", "it speaks no TLS")]
    assert results_of(check) == [("passed", "seen")]


def test_a_failed_check_fails_the_run() -> None:
    report = new_report()
    report.checks.append(Result("tls", "failed", "TLS 1.1 was accepted", 1.0))

    assert ran(lambda: "fine", torn=Torn(), report=report) == flow.FAILED_CODE


def test_the_report_has_everything_for_people_and_for_programs(tmp_path: Path) -> None:
    report = new_report()
    report.ended, report.outcome = 61.0, "passed"
    report.checks.append(Result("a | b", "passed", "two\nlines", 1.25))
    report.bill.append(BillLine("KMS", "keys", 2, "", 0.0027, "1 hour of the month"))
    report.left.append("queue q: it is still there")

    text = report.write(tmp_path).read_text()

    assert text.startswith("# Acceptance of shop-acceptance: passed\n")
    assert "| a \\| b | passed | 1.2 | two lines |" in text
    assert "| KMS | keys | 2 (1 hour of the month) | 0.0027 |" in text
    assert "## Left: delete it by hand\n- queue q: it is still there" in text
    assert '"total": 0.0027' in (tmp_path / "report.json").read_text()
