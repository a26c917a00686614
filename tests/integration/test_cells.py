"""`webhooks cells` and `webhooks tenant move`: a tenant is in the new cell as it was in the old one."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clocks import NOW
from tests.contract.backends import Backend, backend_named
from tests.contract.logged import entry
from tests.contract.stores import assert_consistent
from tests.contract.webhooks_made import ACME, changed, make_record, recorded_body
from tests.integration.backups import calls_seen
from tests.integration.cells import Cells, CellStack
from webhooks.adapters.dynamodb.keys import EPOCH
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.errors import TenantMovingError
from webhooks.domain.recovery_message import decode_task
from webhooks.domain.replay import WebhookCheck
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, Webhook

SOUTH, OTHER = Scope("acme", "south"), Scope("other", "main")
FIRST, SECOND = Credential(token="first"), Credential(username="ü", password="second")
NAMES, TAGS = ("order.created", "order.paid"), ("blue", "green", "a#b")
PAGE = Path(__file__).parents[2] / "docs" / "cells.md"
STRIDE = 3  # of the calls at which a move is cut off; each costs a second. `1` passed too, and takes minutes
READS = frozenset(
    [
        "scan",
        "query",
        "get_item",
        "batch_get_item",
        "get_secret_value",
        "describe_secret",
        "get_queue_attributes",
    ]
)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


@pytest.fixture
def cells(backend: Backend, tmp_path: Path) -> Cells:
    made = Cells(backend, tmp_path)
    made.set_up()
    return made


def fill(cells: Cells) -> list[Webhook]:
    """Give the tenant webhooks of all kinds, and a neighbour, in cell one."""
    one = cells.one
    first = one.add(credential=FIRST)
    one.add(disabled=True)
    one.add(credential=SECOND, paused=True, tags=("blue", "green"))
    one.remove(one.add(credential=FIRST))
    one.change_credential(first, SECOND)
    one.add(scope=SOUTH, credential=SECOND)
    one.add(scope=OTHER)
    one.license("aa", tenantId={"S": "acme"})
    one.license("bb", tenantId={"S": "acme"}, disabled={"BOOL": True})
    one.license("cc", tenantId={"S": "other"})
    one.license("dd")
    return [*one.webhooks(), *one.webhooks(SOUTH)]


def state(stack: CellStack) -> dict[str, Any]:
    """Return a tenant's items in a cell, but for the paths of its secrets."""
    webhooks = [*stack.webhooks(), *stack.webhooks(SOUTH)]
    return {
        "webhooks": [
            (each.id, each.definition, each.revision, each.created_at, each.old_secrets) for each in webhooks
        ],
        "tokens": [*stack.tokens(), *stack.tokens(SOUTH)],
        "licenses": [
            item for item in stack.items(stack.access_table) if item.get("tenantId", {}).get("S") == "acme"
        ],
    }


def assert_moved(cells: Cells, before: dict[str, Any], *, source: CellStack, target: CellStack) -> None:
    assert state(target) == before
    assert source.webhooks() == source.webhooks(SOUTH) == []
    for scope in (ACME, SOUTH):
        for stack in (source, target):
            assert_consistent(stack.stores, scope, stack.webhooks(scope), event_names=NAMES, tags=TAGS)
    assert cells.done("tenant", "show", "acme")["move"] is None
    assert cells.cell_of_acme() == target.name


def test_a_tenant_is_the_same_in_its_new_cell_and_gone_from_the_old_one(cells: Cells) -> None:
    fill(cells)
    before, neighbour = state(cells.one), cells.one.webhooks(OTHER)

    moved = cells.move("two")

    assert moved["over"]
    assert moved["webhooks"] == 4
    assert_moved(cells, before, source=cells.one, target=cells.two)
    assert cells.one.webhooks(OTHER) == neighbour
    assert cells.two.webhooks(OTHER) == []
    assert len(list(cells.two.items(cells.two.access_table))) == 2 + 4  # licenses, answers


def test_a_tenant_comes_back_with_what_it_changed_meanwhile(cells: Cells) -> None:
    webhook = fill(cells)[0]
    cells.move("two")
    there = cells.two.change_credential(
        next(each for each in cells.two.webhooks() if each.id == webhook.id) if webhook.credential
        else next(each for each in cells.two.webhooks() if each.credential), FIRST
    )  # fmt: skip
    cells.two.change(there, name="renamed")
    added = cells.two.add(scope=Scope("acme", "new"))
    before = state(cells.two)

    cells.move("one")

    assert_moved(cells, before, source=cells.two, target=cells.one)
    assert [each.id for each in cells.one.webhooks(Scope("acme", "new"))] == [added.id]
    # And the numbers of webhooks go on, so that no id comes twice
    assert cells.one.add().id[8:16] > max(each.id[8:16] for each in cells.one.webhooks()[1:])


def test_a_move_counts_its_changes_in_a_cell_whose_functions_count(cells: Cells) -> None:
    """A first count by the command would let fan-out rely on it while functions that do not count may run."""
    fill(cells)

    def counted(stack: CellStack) -> list[int]:
        items = [item for item in stack.items(stack.subscriptions_table) if item["pk"] == EPOCH["pk"]]
        return [int(item["version"]["N"]) for item in items]

    [before] = counted(cells.one)
    cells.move("two")
    assert counted(cells.one)[0] > before
    assert counted(cells.two) == []


def change(stack: CellStack, webhook: Webhook) -> None:
    stack.subscriptions.change(webhook, changed(webhook, name="changed"), record=make_record("a change"))


def killer(at: int, name: str = "") -> Callable[[int, str], None]:
    """Kill the command at a call by its number, of all calls or of those with a name."""
    seen = iter(range(1_000_000))

    def hook(_number: int, called: str) -> None:
        if (not name or called == name) and next(seen) == at:
            raise Killed

    return hook


def cut_off(cells: Cells, hook: Callable[[int, str], None], *argv: object) -> None:
    with pytest.raises(Killed), calls_seen(before=hook):
        cells.run("tenant", "move", "acme", *argv)


def test_changes_are_refused_from_the_marks_on_and_made_in_the_new_cell_at_the_end(cells: Cells) -> None:
    webhook = fill(cells)[0]
    cut_off(cells, killer(2, "batch_write_item"), "--to", "two")  # after both marks
    with pytest.raises(TenantMovingError):
        change(cells.one, webhook)
    with pytest.raises(TenantMovingError):
        cells.one.add(scope=Scope("acme", "new"))
    cells.one.add(scope=OTHER)

    cells.move("two")

    [there] = [each for each in cells.two.webhooks() if each.id == webhook.id]
    change(cells.two, there)
    with pytest.raises(TenantMovingError):  # a caller that still asks the old cell
        cells.one.add()


def small(backend: Backend, folder: Path) -> Cells:
    """Return cells with a small tenant in `one`."""
    made = Cells(backend, folder)
    made.set_up()
    made.one.add(credential=FIRST)
    made.one.add(scope=SOUTH, tags=("green",))
    made.one.license("aa", tenantId={"S": "acme"})
    return made


def writes_of_a_move(backend: Backend, folder: Path) -> list[int]:
    """Return the numbers of the calls of a move that change something."""
    names: list[str] = []
    cells = small(backend, folder)
    with calls_seen(before=lambda _, name: names.append(name)):
        cells.move("two")
    return [at for at, name in enumerate(names) if name not in READS]


def test_a_move_that_is_cut_off_at_any_call_is_run_again_and_ends_the_same(
    backend: Backend, tmp_path: Path
) -> None:
    written = writes_of_a_move(backend, tmp_path / "whole")
    assert len(written) > 40
    for at in written[::STRIDE]:
        with backend_named("moto") as fresh:
            cells = small(fresh, tmp_path / str(at))
            before = state(cells.one)
            cut_off(cells, killer(at), "--to", "two")
            cells.move("two")
            assert_moved(cells, before, source=cells.one, target=cells.two)


def test_a_move_can_be_taken_back_at_any_call_until_the_directory_names_the_new_cell(
    backend: Backend, tmp_path: Path
) -> None:
    taken_back = 0
    for at in writes_of_a_move(backend, tmp_path / "whole")[1::STRIDE]:
        with backend_named("moto") as fresh:
            cells = small(fresh, tmp_path / str(at))
            before = state(cells.one)
            cut_off(cells, killer(at), "--to", "two")
            if cells.cell_of_acme() == "two":
                assert "served by the cell two already" in cells.refused("tenant", "move", "acme", "--abort")
                break
            cut_off(cells, killer(taken_back % 4 + 4), "--abort")  # and the way back is cut off too
            assert "run it with --abort" in cells.refused("tenant", "move", "acme")
            cells.done("tenant", "move", "acme", "--abort")
            taken_back += 1
            assert state(cells.one) == before
            assert cells.two.webhooks() == cells.two.webhooks(SOUTH) == []
            change(cells.one, cells.one.webhooks()[0])
            cells.one.add(scope=Scope("acme", "new"))
    assert taken_back > 2
    cells.move("two")


def test_held_and_recoverable_deliveries_are_handed_over_with_their_payloads(cells: Cells) -> None:
    [webhook, *_] = fill(cells)
    held, recoverable, dead, delivered = (
        entry(number, outcome, webhook_id=webhook.id, is_recoverable=number == 2, scope=ACME)
        for number, outcome in (
            (1, Outcome.HELD),
            (2, Outcome.DEAD),
            (3, Outcome.DEAD),
            (4, Outcome.DELIVERED),
        )
    )
    cells.one.log(held, recoverable, dead, delivered)

    moved = cells.move("two")

    assert (moved["handedOver"], moved["deadCopied"]) == (2, 1)
    ids = [each.key.delivery_id for each in (held, recoverable, dead, delivered)]
    assert cells.two.outcomes() == dict(zip(ids, ("held", "dead", "dead"), strict=False))
    assert cells.one.outcomes() == dict(zip(ids, ("skipped", "skipped", "dead", "delivered"), strict=True))
    log = cells.two.log_reader()
    assert log.payloads([held.key, recoverable.key]) == {
        each.key: each.delivery.body for each in (held, recoverable)
    }
    assert [each.key for each in log.backlog(webhook.id, after=None, size=10).entries] == [
        held.key,
        recoverable.key,
    ]
    # And the new cell sends them: the webhook has a backlog, and its check is on its way
    [there] = [each for each in cells.two.webhooks() if each.id == webhook.id]
    assert there.health.backlog_since is not None
    assert cells.two.unhealthy(ACME) >= {webhook.id}
    [check] = cells.two.messages("RecoveryQueueUrl")
    assert decode_task(check) == WebhookCheck(ACME, webhook.id)


def test_a_delivery_that_is_still_held_comes_back_with_its_tenant(cells: Cells) -> None:
    webhook = cells.one.add()
    held = entry(1, Outcome.HELD, webhook_id=webhook.id, scope=ACME)
    cells.one.log(held)
    cells.move("two")

    assert cells.move("one")["handedOver"] == 1

    assert cells.one.outcomes() == {held.key.delivery_id: "held"}
    assert cells.two.outcomes() == {held.key.delivery_id: "skipped"}
    assert cells.one.log_reader().payloads([held.key]) == {held.key: held.delivery.body}


def test_more_deliveries_than_workers_are_handed_over(cells: Cells) -> None:
    webhook = cells.one.add()
    cells.one.log(*(entry(number, Outcome.HELD, webhook_id=webhook.id, scope=ACME) for number in range(9)))
    cells.workers = 2
    assert cells.move("two")["handedOver"] == 9


def test_a_handover_that_is_cut_off_loses_no_delivery_and_doubles_none(
    backend: Backend, tmp_path: Path
) -> None:
    def made(account: Backend, folder: Path) -> tuple[Cells, list[str]]:
        cells = Cells(account, folder)
        cells.set_up()
        webhook = cells.one.add()
        entries = [entry(number, Outcome.HELD, webhook_id=webhook.id, scope=ACME) for number in range(3)]
        cells.one.log(*entries)
        return cells, [each.key.delivery_id for each in entries]

    names: list[str] = []
    whole, _ = made(backend, tmp_path / "whole")
    with calls_seen(before=lambda _, name: names.append(name)):
        whole.move("two")
    for at in [at for at, name in enumerate(names) if name in {"put_item", "update_item", "send_message"}]:
        with backend_named("moto") as fresh:
            cells, ids = made(fresh, tmp_path / str(at))
            cut_off(cells, killer(at), "--to", "two")
            cells.move("two")
            assert cells.two.outcomes() == dict.fromkeys(ids, "held")
            assert cells.one.outcomes() == dict.fromkeys(ids, "skipped")
            assert cells.two.webhooks()[0].health.backlog_since is not None


def test_an_old_cell_with_messages_keeps_its_paused_copy_until_they_are_gone(cells: Cells) -> None:
    fill(cells)
    sqs, url = cells.backend.clients.sqs, cells.one.queues["SlowDeliveriesQueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a retry that waits")

    ended = cells.run("tenant", "move", "acme", "--to", "two", "--wait", "2000")

    assert ended.code == 3
    assert ended.document["step"] == "paused"
    assert cells.cell_of_acme() == "two"
    kept = cells.one.webhooks()
    assert {each.definition.paused for each in kept if not each.definition.disabled} == {True}
    assert [each.definition.paused for each in cells.two.webhooks()].count(True) == 1
    # What that retry leaves is handed over once its message is gone
    late = entry(9, Outcome.HELD, webhook_id=kept[0].id, scope=ACME)
    cells.one.log(late)
    sqs.purge_queue(QueueUrl=url)
    assert cells.move("two")["handedOver"] == 1
    assert cells.one.webhooks() == []
    assert cells.two.outcomes() == {late.key.delivery_id: "held"}


def test_a_move_waits_for_running_replays(cells: Cells) -> None:
    fill(cells)
    replay = {"pk": {"S": "R#acme#north"}, "sk": {"S": "r1"}, "state": {"S": "running"}}
    running = {"pk": {"S": "R#acme#north#running"}, "sk": {"S": "running"}, "ids": {"SS": ["r1", "gone"]}}
    cells.one.put(cells.one.deliveries_table, replay, running)

    ended = cells.run("tenant", "move", "acme", "--to", "two", "--wait", "2000")
    assert (ended.code, ended.document["step"]) == (3, "opened")

    cells.one.put(cells.one.deliveries_table, {**replay, "state": {"S": "completed"}})
    assert cells.move("two")["over"]


def test_a_repeat_of_a_change_gets_its_response_in_the_new_cell(cells: Cells) -> None:
    webhook = cells.one.add()
    cells.command.now = NOW
    cells.one.subscriptions.change(
        webhook, changed(webhook, name="b"), record=make_record("k", "the response")
    )
    cells.move("two", "--cache-seconds", "1")
    assert recorded_body(cells.two.subscriptions, "k") == "the response"


@pytest.mark.parametrize("name", ["serviceKeysSecret", "signingKeysSecret", "webhookMasterSecret"])
def test_cells_with_different_keys_are_refused_until_they_are_joined(cells: Cells, name: str) -> None:
    fill(cells)
    keys = {"seed": f"one {name}", "keys": [{"pair": "planted", "since": 5, "until": None}]}
    cells.one.put_secret(name, keys)

    refused = cells.refused("tenant", "move", "acme", "--to", "two")

    assert "different keys" in refused
    assert "webhooks cells join" in refused
    assert "planted" not in refused
    assert cells.done("tenant", "show", "acme")["move"] is None
    assert len(cells.done("cells", "join", "two", "--from", "one")["copied"]) == 1
    assert cells.move("two")["over"]


def test_a_cell_with_webhooks_gets_no_other_keys(backend: Backend, tmp_path: Path) -> None:
    cells = Cells(backend, tmp_path)
    for name in ("one", "two"):
        cells.done("cells", "add", name, "--stack", name, "--region", "us-east-1")
    cells.two.add()
    before = cells.two.secret("serviceKeysSecret")
    assert "has webhooks already" in cells.refused("cells", "join", "two", "--from", "one")
    assert cells.two.secret("serviceKeysSecret") == before


def test_the_directory_names_cells_and_tenants(cells: Cells) -> None:
    assert [each["cell"] for each in cells.done("cells", "list")] == ["one", "two"]
    shown = cells.done("tenant", "show", "acme")
    assert shown["apiUrl"] == "https://one.example.com/prod"
    assert shown["eventsQueueUrl"] == cells.one.queues["EventsQueueUrl"]
    assert "no cell for the tenant other" in cells.refused("tenant", "show", "other", code=4)
    cells.done("tenant", "assign", "*", "two")
    assert cells.done("tenant", "show", "other")["isDefault"]
    assert [each["tenant"] for each in cells.done("cells", "show", "one")["tenants"]] == ["acme"]
    assert "tenants (acme)" in cells.refused("cells", "remove", "one")
    assert "`webhooks tenant move`" in cells.refused("tenant", "assign", "acme", "two")
    assert "in the cell one already" in cells.refused("tenant", "move", "acme", "--to", "one")
    assert "no cell three" in cells.refused("tenant", "move", "acme", "--to", "three", code=4)
    assert "no move" in cells.refused("tenant", "move", "acme", "--abort")
    assert "give --to" in cells.refused("tenant", "move", "acme", code=2)


def test_a_tenant_without_an_entry_of_its_own_moves_from_the_cell_of_all_others(cells: Cells) -> None:
    cells.one.add(scope=OTHER)
    cells.done("tenant", "assign", "*", "one")
    cells.done("tenant", "move", "other", "--to", "two")
    assert cells.done("tenant", "show", "other")["cell"] == "two"
    assert cells.done("tenant", "show", "another")["cell"] == "one"
    assert len(cells.two.webhooks(OTHER)) == 1


def test_a_cell_with_webhooks_of_the_tenant_is_no_target(cells: Cells) -> None:
    cells.one.add()
    cells.two.add()
    assert "has 1 webhooks of the tenant acme already" in cells.refused(
        "tenant", "move", "acme", "--to", "two"
    )
    assert cells.done("tenant", "show", "acme")["move"] is None


def test_only_one_move_of_a_tenant_runs(cells: Cells) -> None:
    fill(cells)
    cut_off(cells, killer(2, "batch_write_item"), "--to", "two")
    cells.done("cells", "add", "three", "--stack", "two", "--region", "us-east-1")
    assert "is being moved to two" in cells.refused("tenant", "move", "acme", "--to", "three")


def test_without_a_directory_the_command_says_where_one_comes_from(cells: Cells) -> None:
    cells.command.environment = {}
    assert "deploy/cells.yaml" in cells.refused("cells", "list", code=4)


def test_the_pages_producer_finds_the_cell_and_goes_on_while_the_directory_is_away(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    names: dict[str, Any] = {}
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[0]
    exec(compile(code, "docs/cells.md", "exec"), names)
    asking, keeping = (names["Directory"](cells.directory, seconds=seconds) for seconds in (0, 60))
    assert asking.cell("acme")["eventsQueueUrl"] == cells.one.queues["EventsQueueUrl"]
    assert keeping.cell("acme")["apiUrl"] == "https://one.example.com/prod"
    with pytest.raises(LookupError, match="no cell for the tenant other"):
        asking.cell("other")
    cells.done("tenant", "assign", "*", "two")
    assert asking.cell("other")["stack"] == "two"

    cells.move("two")

    assert asking.cell("acme")["stack"] == "two"
    assert keeping.cell("acme")["stack"] == "one"
    cells.backend.clients.dynamodb.delete_table(TableName=cells.directory)
    assert asking.cell("acme")["stack"] == "two"
