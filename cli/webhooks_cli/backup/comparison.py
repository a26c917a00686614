"""Compares a backup with the deployment that it is to be restored into, before anything is written."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from webhooks_cli.backup.key_secrets import TITLES, KeySecrets
from webhooks_cli.backup.records import COMMUNITY, HEADER, SECRET, WEBHOOK, Read, Record, Summary
from webhooks_cli.backup.resources import Resources
from webhooks_cli.backup.target import Target, scope_in
from webhooks_cli.backup.webhook_items import Item
from webhooks_cli.errors import RefusedError, WrongUseError

CURVE = "EcCurveName"
NAMED = 3  # webhooks in an error


@dataclass
class Comparison:
    """The target as it was before the restore.

    `others`: the number of its webhooks that the backup does not have as they are; `keys`: the names of its
    keys that are another deployment's in use. `communities`: the partitions that it has, `missing`: those of
    them that the backup does not have.
    """

    communities: set[str]
    missing: set[str] = field(default_factory=set)
    others: int = 0
    examples: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def note(self, webhooks: Iterator[Item]) -> None:
        """Count other webhooks."""
        for item in webhooks:
            self.others += 1
            if len(self.examples) < NAMED:
                webhook_id = item.get("webhookId", {}).get("S", "?")
                self.examples.append(f"{webhook_id} of {scope_in(item['pk']['S'])}")

    def refuse_others(self, table: str) -> None:
        """Raise RefusedError where the target has webhooks or keys that a restore would end."""
        if self.others:
            raise RefusedError(
                f"the table {table} has {self.others} webhooks that the backup does not have, or not as "
                f"they are now (such as {', '.join(self.examples)}); nothing was written: "
                f"--overwrite {table} replaces them by those of the backup"
            )
        if self.keys:
            raise RefusedError(
                f"the {' and the '.join(self.keys)} of the target were reset there, and are another "
                f"deployment's; nothing was written: --overwrite {table} replaces them by those of the backup"
            )


def compare(file: Read, target: Target, keys: KeySecrets, resources: Resources) -> tuple[Summary, Comparison]:
    """Read the whole file, and compare its webhooks with the target's. Raises CliError."""
    found = Comparison(target.communities())
    seen: set[str] = set()
    for record, webhooks in grouped(file.records()):
        if record["kind"] == HEADER:
            _check_curve(record, resources)
        elif record["kind"] == SECRET and keys.is_of_another(record["name"], record["value"]):
            found.keys.append(TITLES[record["name"]])
        elif record["kind"] == COMMUNITY:
            seen.add(record["pk"])
            if record["pk"] in found.communities:
                found.note(target.others(record["pk"], webhooks))
    found.missing = found.communities - seen
    for pk in sorted(found.missing):
        found.note(target.webhooks(pk))
    return file.whole, found


def _check_curve(header: Record, resources: Resources) -> None:
    saved, present = header["parameters"].get(CURVE), resources.parameters.get(CURVE)
    if saved and present and saved != present:
        raise WrongUseError(
            f"the backup's keys are on the curve {saved}, the target's on {present}: deploy the target with "
            f"{CURVE}={saved}"
        )


def grouped(records: Iterator[Record]) -> Iterator[tuple[Record, Iterator[Record]]]:
    """Yield each record, a community with its webhooks, which are skipped unless they are read."""
    following: list[Record] = []

    def webhooks() -> Iterator[Record]:
        for each in records:
            if each["kind"] != WEBHOOK:
                following.append(each)
                return
            yield each

    while (record := following.pop() if following else next(records, None)) is not None:
        rest = webhooks() if record["kind"] == COMMUNITY else iter(())
        yield record, rest
        for _ in rest:
            pass
