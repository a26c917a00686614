"""The command's copies of the service's rules equal the originals: it is installed without the service."""

import ast
import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.contract.opened_index import OpenedIndex
from tests.contract.webhooks_made import make_definition, make_webhook
from webhooks.adapters.dynamodb import health_items, keys, licenses, log_partitions, sequence_bitmaps
from webhooks.adapters.dynamodb.subscription_transaction import Tables, transaction
from webhooks.adapters.dynamodb.webhook_change import Change
from webhooks.adapters.secrets_manager import credential_secrets
from webhooks.adapters.sqs import sender
from webhooks.domain import caller, delivery, event_slice, json_text, scope, text
from webhooks.domain import timestamps as of_service
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.event import Event
from webhooks.domain.forms import EVENT_SLICE
from webhooks.domain.webhook import Criteria, Webhook
from webhooks_cli import dead_letters, event_files, register, timestamps
from webhooks_cli import license as carried
from webhooks_cli.backup import credentials
from webhooks_cli.backup import webhook_items as items
from webhooks_cli.cells import handover
from webhooks_cli.costs.settings import SETTINGS
from webhooks_cli.license import License

CLI = Path(carried.__file__).parent
LICENSES = [
    carried.License("system", label="ops"),
    carried.License("service", "acme", "north", expires_at=1_800_000_000),
    carried.License("service_ext", "acme", "north", disabled=True, label="shop"),
]


@pytest.mark.parametrize("license_", LICENSES, ids=lambda each: each.auth_level)
def test_the_service_reads_a_license_as_the_command_wrote_it(license_: License) -> None:
    issued = register.Issued(carried.hash_license_key("a key"), license_, issued_at=1)
    item = register.to_item(issued)
    read = licenses.license_from(item)
    assert {name: getattr(read, name) for name in read.__slots__} == {
        name: getattr(license_, name) for name in license_.__slots__
    }
    assert register.from_item(item) == issued
    assert item["pk"]["S"] == licenses.PREFIX + caller.hash_license_key("a key")


def test_the_license_rules_are_those_of_the_service() -> None:
    assert tuple(level.value for level in caller.AuthLevel) == carried.LEVELS
    assert caller.ANY == carried.ANY
    assert scope.IDENTIFIER == carried.IDENTIFIER
    assert scope.IDENTIFIER_RULE == carried.IDENTIFIER_RULE
    assert text.TEXT_RULE == carried.TEXT_RULE


@pytest.mark.parametrize("first", range(0, 0x110000, 0x10000))
def test_the_command_and_the_service_accept_the_same_texts(first: int) -> None:
    differing = [
        hex(code)
        for code in range(first, first + 0x10000)
        if text.is_text(chr(code)) is not bool(carried.TEXT.fullmatch(chr(code)))
    ]
    assert differing == []


def test_the_command_writes_numbers_as_the_service_does() -> None:
    value = {"a": [Decimal("1222223333.00000001"), {"b": Decimal("1E+5")}, 1, 1.5, None, "ü\n"], "c": ()}
    assert event_files.write_json(value) == json_text.write_json(value)


@pytest.mark.parametrize("now", [4, 5, 6])
def test_a_license_expires_at_the_same_time_for_the_service(now: int) -> None:
    of_service = caller.License(caller.AuthLevel.SYSTEM, expires_at=5)
    assert carried.License("system", expires_at=5).is_expired(now) is not of_service.holds(now)


@pytest.mark.parametrize(
    "text",
    ["2027-01-31", "2027-01-31T12:00:00Z", "2027-01-31T12:00:00+02:00", "2027-01-31 12:00:00", "soon", ""],
)
def test_the_command_reads_a_date_as_the_service_does(text: str) -> None:
    assert timestamps.parse_time(text, 0) == of_service.epoch_seconds(text)


def test_the_bill_has_the_packs_of_the_service() -> None:
    assert SETTINGS.pack_bytes == delivery.MAX_PACK_BYTES
    assert SETTINGS.description_bytes == delivery.DESCRIPTION_BYTES


@pytest.mark.parametrize("ids", [("acme", "main"), ("a.b", "c-d_e")])
def test_a_redriven_message_has_the_group_of_its_community(ids: tuple[str, str]) -> None:
    head = {
        "webhookId": "65f0c0ffee65f0c0ffee65f0",
        "tenantId": ids[0],
        "communityId": ids[1],
        "deliveries": [{}],
    }
    letter = dead_letters.from_message(
        {"MessageId": "m", "ReceiptHandle": "r", "Body": json.dumps(head) + "\n{}"}
    )
    for entry in (dead_letters.delivery_entry(letter), dead_letters.event_entry(letter)):
        assert isinstance(entry, dict)
        assert entry["MessageGroupId"] == scope.Scope(*ids).fairness_group


def test_a_messages_size_is_that_of_the_service() -> None:
    attributes = {"webhookId": "x", "größe": "ü" * 10}
    entry = {
        "MessageBody": "ü" * 100,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }
    assert dead_letters.entry_size(entry) == sender.Message("ü" * 100, attributes).size


@pytest.mark.parametrize("has_conditions", [False, True])
def test_a_slice_begins_as_in_the_service(has_conditions: bool) -> None:
    event = Event("e1", "n", scope.Scope("t", "c"), 0, {}, '{"data":{}}')
    text = event_slice.encode_slice(event_slice.EventSlice(event, has_conditions=has_conditions))
    assert text.startswith(dead_letters.SLICES[int(has_conditions)])
    assert len(dead_letters.SLICES) == EVENT_SLICE.newest


def test_the_command_imports_the_service_only_to_check_events() -> None:
    importing = {
        path.relative_to(CLI).as_posix()
        for path in CLI.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "webhooks"
    }
    assert importing == {"commands/publish.py"}


WEBHOOKS = [
    make_webhook("65f0c0ff0000000165f0c0ff"),
    make_webhook("65f0c0ff0000100065f0c0ff", event_names=("a", "a#b"), tags=(), query=()),
    make_webhook("65f0c0ff0000100165f0c0ff", disabled=True, tags=("\ud800", "", "a#b")),
]


@pytest.mark.parametrize("webhook", WEBHOOKS, ids=lambda each: each.id)
def test_the_command_makes_the_index_of_a_webhook_as_the_service_does(webhook: Webhook) -> None:
    change = Change.of(None, webhook, record=None, token="t")
    item = change.webhook_key | change.attributes
    assert list(items.index_entries(item).values()) == [key | (entry or {}) for key, entry in change.entries]
    bitmaps = items.Bitmaps(change.webhook_key["pk"]["S"])
    finished = bitmaps.add(item) + bitmaps.finish()
    assert {each["sk"]["S"] for each in finished} == set(change.bitmaps)
    assert items.path_of(item) == credential_secrets.path_of(webhook.scope, webhook.id)
    actions = transaction(change, Tables("s", "a"), None, {}, now=0)
    puts = [each.request["Put"]["Item"] for each in actions if "Put" in each.request]
    [head] = [each for each in puts if each["sk"]["S"] == "HEAD"]
    assert items.head_with(change.head_key | change.head_list, bitmaps.counts, 1) == head
    assert all(each in puts for each in finished)


def test_the_command_knows_the_attributes_and_marks_of_the_service() -> None:
    marks = {health_items.CHANGES, health_items.RECOVERY, health_items.VERSION, "listPk", "listSk"}
    assert set(items.HEALTH) == {*map(text.camel_case, health_items.NUMBERS)} | marks
    assert items.RESTORING == keys.RESTORING
    assert items.SEGMENT == sequence_bitmaps.SEGMENT
    assert (credentials.OF, credentials.TABLE, credentials.STACK) == (
        credential_secrets.OF, credential_secrets.TABLE, credential_secrets.STACK,
    )  # fmt: skip


def test_the_command_finds_the_entries_under_conditions_that_the_service_writes() -> None:
    opened = OpenedIndex()
    query = ({"a": 1}, {"b": 2})
    webhook = opened.add(
        make_definition(event_names=("a", "a#b"), query=query, criteria=Criteria.ANY, tags=())
    )
    stored = opened.table.get(keys.webhook_key(webhook.scope, 1))
    assert stored is not None
    found = {(item["pk"]["S"], item["sk"]["S"]): item for item in opened.entries()}

    fields = items.fields_keys([stored])
    conditional = items.conditional_keys(stored, [name for _, name in fields])
    of_fields = {(each["pk"]["S"], each["sk"]["S"]) for each in fields.values()}
    of_entries = {
        (key["pk"]["S"], key["sk"]["S"])
        for each in conditional
        for key in items.keys_under_conditions(found[each["pk"]["S"], each["sk"]["S"]])
    }

    assert of_fields | of_entries == set(found)
    assert len(found) == 2 + 2 * 3
    assert items.EPOCH == keys.EPOCH


def test_a_move_looks_into_every_partition_of_undelivered_deliveries() -> None:
    north = scope.Scope("acme", "north")
    assert [f"acme#north#{handover.HELD}{end}" for end in handover.LOG_SHARDS] == [
        log_partitions.undelivered_in(north, Outcome.HELD, shard) for shard in range(log_partitions.SHARDS)
    ]
