"""A run and a tear-down of an earlier one, from the command line's values to the exit code."""

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acceptance import bill, checks, flow, preflight, suite
from acceptance.account import Account, open_account
from acceptance.artifacts import make_bucket
from acceptance.checks.check import perform
from acceptance.checks.deployment import deploy
from acceptance.console import confirm
from acceptance.errors import AcceptanceError, RefusedError
from acceptance.names import Names, names_of
from acceptance.parameters import parameters_for
from acceptance.report import FAILED, NOT_HERE, PASSED, Report
from acceptance.site import Site
from acceptance.teardown import POLL_SECONDS, TearDown
from local.paths import LOCAL, ROOT
from local.progress import Progress
from webhooks_cli import __version__

EMULATOR_POLL = 0.3


@dataclass(frozen=True)
class Options:
    """The values of the command line. `tests`: for pytest, instead of all of tests/e2e."""

    stack: str
    confirm: str = ""
    keep: bool = False
    tests: Sequence[str] = ()
    folder: Path = LOCAL / "acceptance"


def run(options: Options, progress: Progress) -> int:
    """Deploy, test, check, report, tear down. Raises RefusedError before anything is created."""
    names = names_of(options.stack)
    account = open_account()
    began = time.time()
    site = Site(account, names, options.folder / options.stack, began)
    with _alone(site.folder):
        _introduce(account, names, progress)
        estimate = bill.total(bill.lines(bill.ESTIMATE))
        if estimate > bill.MOST:
            raise RefusedError(f"the run is estimated at ${estimate:.2f}, above ${bill.MOST:.2f}")
        preflight.permitted(account)
        preflight.require_own_names(account, names)
        progress.say(f"quota:    {preflight.require_quotas(account)}")
        progress.say(f"price:    ${estimate:.2f} at most, in about half an hour")
        confirm(account, options.confirm)
        report = Report(names.service, account.id, account.region, account.is_emulator, __version__, began)
        tear_down = _tear_down(account, names, progress)
        code = flow.run(
            list(_steps(site, options, report, tear_down, progress)),
            report=report,
            tear_down=None if options.keep else tear_down,
            shown=progress,
            say=progress.say,
        )
        _show(report, report.write(site.folder), progress)
    return code


def clean(options: Options, progress: Progress) -> int:
    """Delete everything of a run that was killed, or kept. Raises RefusedError."""
    names = names_of(options.stack)
    account = open_account()
    with _alone(options.folder / options.stack):
        _introduce(account, names, progress)
        confirm(account, options.confirm)
        done = _tear_down(account, names, progress)()
    for title, lines in (("deleted", done.deleted), ("stays", done.stays), ("LEFT", done.left)):
        for line in lines:
            progress.text(f"{title}: {line}")
    if not (done.deleted or done.left):
        progress.say("there was nothing to delete")
    return flow.LEFT_CODE if done.left else flow.PASSED_CODE


def _steps(
    site: Site, options: Options, report: Report, tear_down: TearDown, progress: Progress
) -> Iterator[flow.Step]:
    def remove_leftovers() -> str:
        found = list(preflight.leftovers_of_a_run(site.account, site.names))
        done = tear_down(found)
        if done.left:
            raise AcceptanceError("; ".join(done.left))
        return f"deleted: {', '.join(found)}" if found else "nothing"

    def build() -> str:
        site.sam.build(parameters_for(site.account))
        make_bucket(site.account, site.names)
        return f"{site.sam.built.parent}"

    def deploy_service() -> str:
        deploy(site, step="service")
        return f"{site.names.service}, {site.service.api_url}"

    def deploy_receiver() -> str:
        outputs = site.service.outputs
        parameters = {"EventsQueueArn": outputs["EventsQueueArn"], "KeyArn": outputs["KeyArn"]}
        template = ROOT / "acceptance" / "receiver" / "template.yaml"
        site.sam.deploy(site.names.receiver, template, parameters, step="receiver")
        return f"{site.names.receiver}, {site.side.api_url}"

    def test() -> str:
        return suite.run(site.account, site.names, site.folder, tests=options.tests, say=progress.say)

    def check() -> str:
        perform(checks.ALL, site, progress, report.checks)
        counts = {
            each: sum(one.result == each for one in report.checks) for each in (PASSED, FAILED, NOT_HERE)
        }
        return ", ".join(f"{count} {each}" for each, count in counts.items())

    def write_bill() -> str:
        quantities = bill.measured(site.account, (site.service, site.side), since=site.began)
        report.bill = bill.lines(quantities)
        missing = bill.unmeasured(quantities)
        return f"${report.total:.4f}" + (
            f"; CloudWatch has no data of {', '.join(missing)}" if missing else ""
        )

    yield flow.Step("delete what an earlier run has left", remove_leftovers)
    yield flow.Step("build", build)
    yield flow.Step("deploy the service", deploy_service)
    yield flow.Step("deploy the receiver", deploy_receiver)
    yield flow.Step("run the end-to-end tests", test, goes_on=True)
    yield flow.Step("check what an emulator cannot show", check, goes_on=True)
    yield flow.Step("write the bill", write_bill, goes_on=True)


def _tear_down(account: Account, names: Names, progress: Progress) -> TearDown:
    return TearDown(account, names, progress, poll=EMULATOR_POLL if account.is_emulator else POLL_SECONDS)


def _introduce(account: Account, names: Names, progress: Progress) -> None:
    where = f"the emulator at {account.endpoint}" if account.is_emulator else "AWS"
    progress.say(f"account:  {account.id} in {account.region} ({where}), as {account.caller}")
    progress.say(f"stacks:   {', '.join(names.stacks)}")


def _show(report: Report, path: Path, progress: Progress) -> None:
    progress.say("")
    rows = [(each.result, each.name, each.evidence[:160]) for each in report.checks]
    if rows:
        progress.table(rows)
    for line in report.bill:
        progress.text(f"{line.dollars:9.4f} $  {line.service}, {line.item}")
    if report.bill:
        progress.text(f"{report.total:9.4f} $  in total")
    for left in report.left:
        progress.text(f"LEFT: {left}")
    for each in report.failures:
        progress.text(f"failed: {each.name}: {each.evidence}")
    progress.say(f"{report.outcome}; the report: {path}")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the name's lock on this machine. Raises RefusedError where another run holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RefusedError(f"another run of this name is under way in {folder}") from None
        yield
