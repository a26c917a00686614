"""The actions of `webhooks backup`."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from webhooks_cli.aws import Account
from webhooks_cli.backup.age_files import read_lines, write_encrypted
from webhooks_cli.backup.age_keys import new_identity, read_identities, read_recipients
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.comparison import Comparison
from webhooks_cli.backup.lost_credentials import LostCredentials
from webhooks_cli.backup.passphrases import new_passphrase, read_passphrase
from webhooks_cli.backup.records import Read, Summary, Written
from webhooks_cli.backup.resources import source_resources, target_resources
from webhooks_cli.backup.restoration import Restoration
from webhooks_cli.backup.source import Source
from webhooks_cli.backup.verification import Verification
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import find_deployment
from webhooks_cli.errors import InterruptedByUser, RefusedError, WrongUseError
from webhooks_cli.key_pairs import new_key_file
from webhooks_cli.progress_bar import ProgressBar
from webhooks_cli.result import Result

WORKERS = 16  # calls at the same time
SHOWN = {
    "webhook": "webhooks",
    "community": "communities",
    "access": "licenses",
    "delivery": "items of the delivery log",
    "other": "items of newer releases",
}


def make_key(options: Namespace, context: CliContext) -> Result:
    path = context.folder / options.file.expanduser()
    passphrase = new_passphrase(options, context)
    with new_key_file(path):
        recipient = new_identity(path, passphrase)
    notes = () if passphrase else ("the identity is not encrypted: with --passphrase it is",)
    return Result(
        document={"identityFile": str(path), "recipient": recipient, "encrypted": passphrase is not None},
        shown=recipient,
        notes=notes,
    )


def create(options: Namespace, context: CliContext) -> Result:
    path = context.folder / options.file.expanduser()
    recipients = read_recipients(context.folder / options.recipients.expanduser())
    account = Account(find_deployment(options, context))
    resources = source_resources(account, options)
    with working("no file was written", context) as (calls, bar):
        source = Source(account, resources, calls, clock=context.clock, notice=bar.show)
        written = Written(source.records(with_deliveries=options.with_deliveries))
        size = write_encrypted(path, written.lines(), recipients)
    document = {"file": str(path), "bytes": size, **written.whole.document()}
    document["withoutCredential"] = source.missing_credentials
    return Result(document=document, shown=_shown(written.whole), notes=tuple(_missing(source)))


def show(options: Namespace, context: CliContext) -> Result:
    file = _opened(options, context)()
    for _ in file.records():
        pass
    return Result(document=file.whole.document(), shown=_shown(file.whole))


def restore(options: Namespace, context: CliContext) -> Result:
    account = Account(find_deployment(options, context))
    resources = target_resources(account)
    table = resources.subscriptions
    if options.overwrite not in (None, table):
        raise WrongUseError(
            f"--overwrite {options.overwrite}: the deployment's subscriptions table is {table}"
        )
    open_file = _opened(options, context)
    with working("run it again, it goes on", context) as (calls, bar):
        work = Restoration(account, resources, calls, open_file, bar.show)
        summary, found = work.compare()
        if options.credentials_only:
            return _credentials(LostCredentials(account, resources, calls, work.target), open_file())
        if not options.overwrite:
            found.refuse_others(table)
        if options.dry_run:
            return _would(summary, found)
        work.write(summary, found)
        check = work.verify()
    return _restored(work, check, summary)


def _credentials(lost: LostCredentials, file: Read) -> Result:
    lost.restore(file)
    shown = f"{len(lost.restored)} of {lost.seen} credentials were gone, and are back"
    return Result(document={"lookedAt": lost.seen, "restored": lost.restored}, shown=shown)


def _would(summary: Summary, found: Comparison) -> Result:
    document = {**summary.document(), "others": found.others}
    text = f"{summary.counts.get('webhook', 0)} webhooks would be restored"
    if found.others:
        text += f", {found.others} others replaced or removed"
    return Result(document=document, shown=text)


def _restored(work: Restoration, check: Verification, summary: Summary) -> Result:
    done = work.target.restored
    document: dict[str, Any] = {
        "webhooks": done.webhooks,
        "written": done.written,
        "removed": done.removed,
        "withoutCredential": done.without_credential,
        "communities": len(done.communities),
        "licenses": summary.counts.get("access", 0),
        "keptKeys": work.kept_keys,
        "contents": check.digest,
        "same": check.is_same,
        "differing": check.differing,
    }
    notes = [f"the {each} are kept: they are the same, or were reset since" for each in work.kept_keys]
    if done.without_credential:
        notes.append(f"{done.without_credential} webhooks have no credential: the backup has none of theirs")
    text = f"restored {done.webhooks} webhooks of {len(done.communities)} communities"
    if check.is_same:
        notes.append("functions that are running use their former keys for up to 5 minutes")
        return Result(document=document, shown=f"{text}; read back: {check.digest}", notes=tuple(notes))
    notes.append(
        f"{check.differences} differ from the backup, such as {', '.join(check.differing)}: they were "
        "changed since; run the command again to see whether they still differ"
    )
    return Result(document=document, shown=text, notes=tuple(notes), exit_code=RefusedError.exit_code)


@contextmanager
def working(advice: str, context: CliContext) -> Iterator[tuple[Calls, ProgressBar]]:
    """Make calls, and show progress; Ctrl-C ends with the advice."""
    try:
        with Calls(WORKERS, context.sleep) as calls, ProgressBar(context.stderr, "webhooks") as bar:
            yield calls, bar
    except KeyboardInterrupt:
        raise InterruptedByUser(f"interrupted: {advice}") from None


def _opened(options: Namespace, context: CliContext) -> Callable[[], Read]:
    """Return a function that opens the file from its begin. Raises CliError."""
    path = context.folder / options.file.expanduser()
    identity = context.folder / options.identity.expanduser()
    identities = read_identities(
        identity, lambda: read_passphrase(options, context, f"Passphrase of {identity}: ")
    )
    return lambda: Read(read_lines(path, identities), path)


def _shown(summary: Summary) -> str:
    header = summary.header
    lines = [
        f"stack      {header['stack'] or 'none'}, {header['createdAt']}",
        *(f"{summary.counts[kind]:<10} {name}" for kind, name in SHOWN.items() if summary.counts.get(kind)),
        f"digest     {summary.digest}",
        f"contents   {summary.contents}",
    ]
    return "\n".join(lines)


def _missing(source: Any) -> Iterator[str]:
    if source.missing_credentials:
        number = len(source.missing_credentials)
        yield f"{number} webhooks have lost their credential, such as {source.missing_credentials[0]}"
