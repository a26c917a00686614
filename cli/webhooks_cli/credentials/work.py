"""The actions of `webhooks credentials`."""

from argparse import Namespace

from webhooks_cli.aws import Account
from webhooks_cli.backup import work
from webhooks_cli.backup.resources import target_resources
from webhooks_cli.context import CliContext
from webhooks_cli.credentials.forms import PARAMETER, SEALED, SECRET, SECRET_FORM, TABLE_FORM
from webhooks_cli.credentials.migration import Migrated, Migration, webhooks_with
from webhooks_cli.deployment import find_deployment
from webhooks_cli.errors import RefusedError
from webhooks_cli.result import Result

NAMED = 20  # webhooks in the notes; the JSON document has all
WRITTEN = {TABLE_FORM: "sealed in its webhook's item", SECRET_FORM: "a secret"}


def status(options: Namespace, context: CliContext) -> Result:
    account = Account(find_deployment(options, context))
    resources = target_resources(account)
    with work.working("nothing was changed", context) as (calls, bar):
        counts = {TABLE_FORM: 0, SECRET_FORM: 0}
        for item in webhooks_with(account, resources.subscriptions, calls, SEALED, SECRET):
            counts[TABLE_FORM if SEALED in item else SECRET_FORM] += 1
            bar.show(sum(counts.values()), 0)
    written = PARAMETER[resources.parameters.get("CredentialStore") or "SecretsManager"]
    others = next(counts[form] for form in counts if form != written)
    notes = (f"`webhooks credentials migrate --to {written}` moves the {others} others",) if others else ()
    return Result(
        document={"sealed": counts[TABLE_FORM], "secrets": counts[SECRET_FORM], "written": written},
        shown=(
            f"{counts[TABLE_FORM]} sealed in their webhooks' items, {counts[SECRET_FORM]} in secrets; "
            f"a new one is {WRITTEN[written]}"
        ),
        notes=notes,
    )


def migrate(options: Namespace, context: CliContext) -> Result:
    account = Account(find_deployment(options, context))
    resources = target_resources(account)
    written = PARAMETER[resources.parameters.get("CredentialStore") or "SecretsManager"]
    with work.working("run it again, it goes on", context) as (calls, bar):
        migration = Migration(
            account, resources, calls, to=options.to, clock=context.clock, sleep=context.sleep
        )
        done = migration.run(rate=options.rate, dry=options.dry_run, notice=bar.show)
    notes = [f"{place}: {reason}" for place, reason in done.broken[:NAMED]]
    if len(done.broken) > NAMED:
        notes.append(f"and {len(done.broken) - NAMED} more: --json names all")
    if done.young:
        notes.append(f"{done.young} secrets are younger than an hour: run the command again to delete them")
    if written != options.to:
        notes.append(f"a new credential is {WRITTEN[written]}: set CredentialStore, and run this again")
    return Result(
        document=_document(options, done),
        shown=_shown(options, done),
        notes=tuple(notes),
        exit_code=RefusedError.exit_code if done.broken else 0,
    )


def _document(options: Namespace, done: Migrated) -> object:
    return {
        "to": options.to,
        "dryRun": options.dry_run,
        "moved": done.moved,
        "changedMeanwhile": done.passed,
        "deletedSecrets": done.deleted,
        "youngSecrets": done.young,
        "broken": [{"webhook": place, "reason": reason} for place, reason in done.broken],
    }


def _shown(options: Namespace, done: Migrated) -> str:
    if options.dry_run:
        text = f"{done.moved} credentials would be moved"
    else:
        text = f"moved {done.moved} credentials, deleted {done.deleted} secrets"
    return f"{text}; {len(done.broken)} cannot be read" if done.broken else text
