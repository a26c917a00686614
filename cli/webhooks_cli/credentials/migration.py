"""Moves credentials from one form to the other while the service works.

Each webhook changes by a transaction, on the condition that it is as it was read: a tenant's change wins, and
the webhook is looked at again. No secret is deleted before functions that read its webhook have ended. A run
that was cut off is run again: what it has done is done.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
from typing import Any

from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.credentials import CredentialReader
from webhooks_cli.backup.resources import Resources
from webhooks_cli.backup.webhook_items import COMMUNITY, CREDENTIAL, WEBHOOK, Item
from webhooks_cli.credentials.forms import (
    FORM,
    SEALED,
    SEALED_FORM,
    SECRET,
    SECRET_FORM,
    TABLE_FORM,
    VERSION,
    form_of,
    place_of,
    problem_of,
    with_sealed,
)
from webhooks_cli.credentials.seal import CredentialSeal
from webhooks_cli.credentials.secret_store import SecretStore
from webhooks_cli.credentials.webhook_change import WebhookChanges
from webhooks_cli.errors import RefusedError

RACES = 6  # times that a webhook is looked at again after a change by others
FIRST_WAIT = 0.05  # seconds, after the first of them
OTHERS = "others changed it again and again: run the command again"
NEEDED = ("webhookId", "revision")
Outcome = bool | tuple[str, str]  # whether it was moved; or the webhook, and why it stays
READ = "pk, sk, webhookId, revision, credentialSecret, credentialVersion, credentialSealed, #v"


@dataclass
class Migrated:
    """What a run did. `broken`: the webhooks whose credentials stay as they are, each with the reason."""

    moved: int = 0
    passed: int = 0  # that others changed or deleted meanwhile
    deleted: int = 0  # secrets
    young: int = 0  # secrets that a running request may have made: they stay
    broken: "list[tuple[str, str]]" = field(default_factory=list)


class Throttle:
    """Lets so many things happen in a second."""

    def __init__(self, rate: int, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._due = 0.0

    def __call__(self, number: int) -> None:
        """Wait until the next are due."""
        now = self._clock()
        if now < self._due:
            self._sleep(self._due - now)
        self._due = max(self._due, now) + number / self._rate


class Migration:
    """The webhooks of a deployment, whose credentials get the form `to`. `clock` in epoch seconds."""

    def __init__(
        self,
        account: Account,
        resources: Resources,
        calls: Calls,
        *,
        to: str,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._account = account
        self._table = resources.subscriptions
        self._calls = calls
        self._to = to
        self._clock = clock
        self._sleep = sleep
        self._reader = CredentialReader(account, resources, calls)
        self._seal = CredentialSeal(account, resources.names["keyArn"], calls)
        self._secrets = SecretStore(account, resources, calls, clock)
        self._changes = WebhookChanges(account, resources.subscriptions, calls)
        self._replaced: set[str] = set()
        self.done = Migrated()

    def run(self, *, rate: int, dry: bool, notice: Callable[[int, int], None]) -> Migrated:
        """Move all credentials of the other form, at most `rate` a second. Raises CliError."""
        throttle = Throttle(rate, self._clock, self._sleep)
        others, work = self._others(), self._examined if dry else self._moved
        seen = 0
        while chunk := list(islice(others, rate)):
            throttle(len(chunk))
            # Each raises its community's version: those of one community come one after the other.
            groups = [list(each) for _, each in groupby(chunk, key=lambda item: item["pk"]["S"])]
            for outcomes in self._calls.each(partial(_each, work), groups):
                self._count(outcomes)
            seen += len(chunk)
            notice(seen, 0)
        if self._to == TABLE_FORM and not dry:
            self.done.deleted, self.done.young = self._secrets.delete_left(
                self._replaced, throttle, self._sleep
            )
        return self.done

    def _others(self) -> Iterator[Item]:
        other = SEALED if self._to == SECRET_FORM else SECRET
        return webhooks_with(self._account, self._table, self._calls, other)

    def _count(self, outcomes: "list[Outcome]") -> None:
        for outcome in outcomes:
            if isinstance(outcome, tuple):
                self.done.broken.append(outcome)
            elif outcome:
                self.done.moved += 1
            else:
                self.done.passed += 1

    def _examined(self, item: Item) -> "Outcome":
        try:
            problem = _item_problem(item) or problem_of(self._reader.text_of(item))
        except RefusedError as error:
            problem = str(error)
        return (place_of(item), problem) if problem else True

    def _moved(self, item: Item) -> "Outcome":
        """Move a credential; return whether this run did, or the webhook with the reason why it stays."""
        place = place_of(item)
        try:
            return self._move(item) or (place, OTHERS)
        except _PassedError:
            return False
        except _BrokenError as error:
            return place, str(error)
        except RefusedError as error:  # of AWS, about this one: a secret under a key of another deployment
            return place, str(error)

    def _move(self, item: Item) -> bool:
        for race in range(RACES):
            if problem := _item_problem(item):
                raise _BrokenError(problem)
            text = self._reader.text_of(item)
            problem = problem_of(text)
            if text is None or problem:
                found = self._again(item)
                if found.get("revision") == item["revision"]:
                    raise _BrokenError(problem)
                item = found
                continue
            after = self._in_other_form(item, text)
            now = after if self._changes.give_credential(item, after) else self._stored(item)
            if now is not None and all(now.get(name) == after.get(name) for name in CREDENTIAL):
                if SECRET in item:  # and where the response was lost, it was done all the same
                    self._replaced.add(item[SECRET]["S"])
                return True
            if SECRET in after:
                self._secrets.discard(after)
            self._sleep(FIRST_WAIT * 2**race)
            item = self._again(item)
        return False

    def _in_other_form(self, item: Item, text: str) -> Item:
        if self._to == TABLE_FORM:
            return with_sealed(item, self._seal.seal(item, text))
        return self._secrets.make(item, text)

    def _again(self, item: Item) -> Item:
        """Return a webhook as it is now. Raises _PassedError where its credential is moved, or gone."""
        now = self._stored(item)
        if now is None or now.get("webhookId") != item["webhookId"] or form_of(now) in (None, self._to):
            raise _PassedError
        return now

    def _stored(self, item: Item) -> "Item | None":
        keys = [{"pk": item["pk"], "sk": item["sk"]}]
        return next(iter(self._calls.get_many(self._account.dynamodb, self._table, keys)), None)


class _PassedError(Exception):
    """Others have changed the webhook: there is nothing to move."""


class _BrokenError(Exception):
    """The credential stays; the text says why."""


def _each(work: "Callable[[Item], Outcome]", group: "list[Item]") -> "list[Outcome]":
    return [work(item) for item in group]


def webhooks_with(account: Account, table: str, calls: Calls, *attributes: str) -> Iterator[Item]:
    """Return the webhooks that have one of the attributes, with the attributes of their credentials."""
    request: Any = {
        "TableName": table,
        "ConsistentRead": True,
        "FilterExpression": "begins_with(pk, :community) AND begins_with(sk, :webhook) AND ("
        + " OR ".join(f"attribute_exists({each})" for each in attributes)
        + ")",
        "ProjectionExpression": READ,
        "ExpressionAttributeNames": {"#v": FORM},
        "ExpressionAttributeValues": {":community": {"S": COMMUNITY}, ":webhook": {"S": WEBHOOK}},
    }
    return calls.pages("dynamodb Scan", account.dynamodb.scan, **request)


def _item_problem(item: Item) -> "str | None":
    """Say why a webhook's item cannot be changed; None where it can."""
    if item.get(FORM) not in (None, SEALED_FORM):
        return "its item has the form of a later release"
    whole = all(name in item for name in NEEDED) and (SEALED in item or VERSION in item)
    return None if whole else "its item cannot be read"
