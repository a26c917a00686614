"""Every form that one release writes and another reads: an example, its writer, its reader, its fixtures.

`python -m tests.forms` writes the fixtures of new versions into tests/vectors/forms, and never changes one that
exists: releases that wrote it are in use.
"""

import base64
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from signing import Curve, PrivateKey
from tests.contract.webhooks_made import make_webhook
from webhooks.adapters.dynamodb.conditional_entries import fields_attributes, fields_from
from webhooks.adapters.dynamodb.delivery_log_items import entry_from, entry_item, logged_from
from webhooks.adapters.dynamodb.health_items import health_attributes
from webhooks.adapters.dynamodb.idempotency_items import put_record, record_from
from webhooks.adapters.dynamodb.keys import entry_key, fields_key, webhook_key
from webhooks.adapters.dynamodb.licenses import license_from
from webhooks.adapters.dynamodb.payload_store import DynamoPayloadStore, chunk_items
from webhooks.adapters.dynamodb.replay_items import PLAN, plan_attribute, replay_from, replay_item
from webhooks.adapters.dynamodb.seen_events import HASHES, window_from, window_key
from webhooks.adapters.dynamodb.shared_items import read_shared, shared_item
from webhooks.adapters.dynamodb.webhook_items import (
    entry_attributes,
    webhook_attributes,
    webhook_from,
)
from webhooks.adapters.dynamodb.webhook_items import (
    entry_from as index_entry_from,
)
from webhooks.domain import forms
from webhooks.domain.caller import AuthLevel, License
from webhooks.domain.credential_text import read_credential, write_credential
from webhooks.domain.delivery import Attempt, Delivery, Pack, Release, ReleaseKind, delivery_id
from webhooks.domain.delivery_log import LogEntry, Logged, LogKey, LogQuery, Mark, Outcome, log_key
from webhooks.domain.delivery_message import decode_pack, encode_pack
from webhooks.domain.event import Event
from webhooks.domain.event_array import ArrayPart, encode_part, parse_array
from webhooks.domain.event_slice import EventSlice, Span, encode_slice, parse_slice
from webhooks.domain.health import Health, State, StateChange
from webhooks.domain.http import PhaseTimes
from webhooks.domain.key_parts import MASTER_PART, SERVICE_PART, SIGNING_PART, part_of, with_part
from webhooks.domain.keyring import Key, KeyPairs, master_secret, service_keys, signing_keys, to_state
from webhooks.domain.recovery_message import decode_task, encode_task
from webhooks.domain.replay import PagePlan, Replay, ReplayPage, ReplayState, WebhookCheck
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import (
    Credential,
    CredentialRef,
    IndexEntry,
    OldSecret,
    SealedCredential,
    Webhook,
)
from webhooks.ports import IdempotencyRecord, StoredRecord
from webhooks_cli.license import License as IssuedLicense
from webhooks_cli.register import Issued, to_item

FOLDER = Path(__file__).parent / "vectors" / "forms"
SCOPE = Scope("acme", "north")
WEBHOOK, REPLAY_ID, EVENT_ID = "65a4f1c0a1b2c3d400000007", "0011223344556677889900aa", "order-1"
AT = 1_789_000_000_000  # epoch ms
BODY = '{"id":"order-1","type":"order.paid","data":{"note":"ü \\ud800","n":1.50}}'
ATTEMPTS = (
    Attempt(
        AT + 5, 212, status=503, address="93.184.216.34", excerpt="down", times=PhaseTimes(1, 2, 3, 4, 5)
    ),
    Attempt(AT + 9, 5000, reason="timeout", location="https://example.com/new"),
)
DELIVERY = Delivery(
    delivery_id(EVENT_ID, WEBHOOK, log_time=AT), EVENT_ID, "order.paid", AT, BODY, ATTEMPTS, earlier=3
)
SENT = replace(
    DELIVERY, attempts=tuple(replace(each, excerpt=None, location=None, times=None) for each in ATTEMPTS)
)
SEED = "0123456789abcdef" * 4
PAIRS = [
    PrivateKey.derive(b"the seed of the forms", str(number).encode(), Curve.SECP256K1) for number in range(3)
]
SIGNING_PAIRS = [
    PrivateKey.derive(b"the seed of the forms", str(number).encode(), Curve.P256) for number in range(3)
]


@dataclass(frozen=True)
class Case:
    """An example of a form in one version. `write` is None for a version that is only read.

    `still_written`: a later version is written only for a value that needs it.
    """

    form: forms.Form
    name: str
    version: int
    value: Any
    read: Callable[[Any], Any]
    write: Callable[[], Any] | None = None
    suffix: str = "json"
    still_written: bool = False

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}-{self.version}.{self.suffix}"

    def fixture(self) -> Any:
        text = self.path.read_text("utf-8")
        return text if self.suffix == "txt" else from_json(json.loads(text))

    def newer(self) -> Any:
        """The example with the version behind the newest that is read."""
        found, version = self.fixture(), self.form.newest + 1
        if isinstance(found, str):
            word, number, rest = found.split(" ", 2) if not found.startswith("{") else ("", "", found)
            if number:
                return f"{word} {version} {rest}"
            line, separator, body = rest.partition("\n")
            return json.dumps(json.loads(line) | {forms.VERSION: version}) + separator + body
        if "pk" in found:
            return found | {forms.VERSION: {"N": str(version)}}
        return found | {forms.VERSION: version}


def from_json(value: Any) -> Any:
    """Bytes of an item are base64 in a fixture."""
    match value:
        case {"B": str(text)}:
            return {"B": base64.b64decode(text)}
        case {"BS": [*texts]}:
            return {"BS": [base64.b64decode(text) for text in texts]}
        case dict():
            return {name: from_json(each) for name, each in value.items()}
    return value


def to_json(value: Any) -> Any:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {name: to_json(each) for name, each in value.items()}
        case list():
            return [to_json(each) for each in value]
    return value


def _pack() -> Pack:
    other = Delivery(
        delivery_id("order-2", WEBHOOK, log_time=AT), "order-2", "order.paid", AT, '{"id":"order-2"}'
    )
    return Pack(WEBHOOK, SCOPE, (SENT, other), Release(ReleaseKind.REPLAY, REPLAY_ID), due=AT + 60_000)


def _fresh_pack(*, again: bool) -> Pack:
    """A pack as fan-out sends it: of marked events, new ones or such as may have been sent before."""
    deliveries = tuple(
        Delivery(delivery_id(each, WEBHOOK, log_time=AT), each, "order.paid", AT, "{}", is_marked=True)
        for each in ("order-1", "order-2")
    )
    return Pack(WEBHOOK, SCOPE, deliveries, sent_at=AT + 5, again=again, version=7)


def _entry(**changes: Any) -> LogEntry:
    entry = LogEntry(
        log_key(WEBHOOK, DELIVERY),
        replace(DELIVERY, body=""),
        SCOPE,
        outcome=Outcome.DEAD,
        settled_at=AT + 9000,
        reason="HTTP 503 at the last of 5 attempts",
        next_at=AT + 10_000,
        mark=Mark.REPLAY,
        is_recoverable=True,
        has_payload=True,
    )
    return replace(entry, **changes)


def _delivered() -> LogEntry:
    """The log keeps no texts of the last response of a delivered one."""
    last = Attempt(AT + 5, 12, status=200, address="93.184.216.34", times=PhaseTimes(0, 0, 0, 9, 10))
    delivery = replace(DELIVERY, body="", attempts=(last,), earlier=0)
    return LogEntry(
        log_key(WEBHOOK, delivery), delivery, SCOPE, outcome=Outcome.DELIVERED, settled_at=AT + 20
    )


def _in_a_shard() -> LogEntry:
    """A held one of a webhook whose log has several partitions."""
    webhook_id = "e5a4f1c0a1b2c3d400000007"
    made = replace(DELIVERY, id=delivery_id(EVENT_ID, webhook_id, log_time=AT), body="")
    return _entry(
        key=log_key(webhook_id, made), delivery=made, outcome=Outcome.HELD, mark=None, is_recoverable=False
    )


def _shared() -> list[LogEntry]:
    """Three of one webhook."""
    return [
        replace(
            _delivered(),
            key=LogKey(WEBHOOK, AT + number, made_id),
            delivery=replace(
                _delivered().delivery,
                id=made_id,
                event_id=event_id,
                log_time=AT + number,
                attempts=(attempt,),
            ),
            is_new=True,
        )
        for number, (event_id, attempt) in enumerate(
            (
                ("order-1", _delivered().delivery.attempts[0]),
                ("order-2", Attempt(AT + 7, 11, status=200, address="93.184.216.34")),
                ("order-ü", Attempt(AT + 8, 13, status=204)),
            )
        )
        for made_id in (delivery_id(event_id, WEBHOOK, log_time=AT + number),)
    ]


def _read_shared(item: Any) -> list[LogEntry | None]:
    shared = read_shared(item)
    return [entry_from(each) for each in shared.items()] if shared else []


LOGGED = Logged(Outcome.DEAD, ATTEMPTS, tries=5, is_recoverable=True, has_payload=True)
SLICE = EventSlice(
    Event(EVENT_ID, "order.paid", SCOPE, AT, {"note": "ü \ud800", "n": 1.5}, BODY), Span(4, 900)
)
SLICE_AGAIN = replace(SLICE, again=True)
PART = ArrayPart("m-1", AT, 7, '[{"eventId":"a"},,{"eventId":"c"}]', SCOPE)
HEALTH = Health(
    failing_since=AT,
    held_since=AT + 1,
    failures=12,
    failures_since=AT,
    probe_at=AT + 2,
    probe_delay=60,
    changes=(StateChange(AT, State.FAILING, "HTTP 503"),),
    version=9,
)
STORED = replace(
    make_webhook(WEBHOOK),
    revision=3,
    secret_version=2,
    disabled_reason="its endpoint is gone",
    old_secrets=(OldSecret(1, AT),),
    credential=CredentialRef("webhooks/credentials/x", "v-1"),
    health=HEALTH,
)
SEALED = replace(STORED, credential=SealedCredential(SCOPE, WEBHOOK, "AQAEa2V5IQABAgMEBQYHCAkKC3NlYWxlZA=="))
REPLAY = Replay(
    id=REPLAY_ID,
    scope=SCOPE,
    kind=ReleaseKind.REPLAY,
    rate=50,
    created_at=AT,
    created_by="shop",
    query=LogQuery(
        SCOPE, webhook_id=WEBHOOK, outcome=Outcome.DEAD, event_name="order.paid", since=1, until=AT
    ),
    deliveries=(DELIVERY.id,),
    state=ReplayState.RUNNING,
    total=9,
    sent=4,
    without_payload=1,
    passed_over=2,
    page=3,
    after=DELIVERY.id,
    updated_at=AT + 1,
    reason="paused",
    next_at=AT + 2,
    idle=1,
    plan=PagePlan(DELIVERY.id, 4, 1),
)
RECORD = IdempotencyRecord("key", '{"_id":"x"}', AT // 1000 + 600)
CREDENTIAL = Credential(username="u", password="p ü")
SERVICE_KEYS = KeyPairs(
    SEED,
    (
        Key(PAIRS[0], since=AT // 1000, request="reset-2"),
        Key(PAIRS[1], since=5, until=AT // 1000 + 60, request="reset-1"),
        Key(PAIRS[2], since=0, until=AT // 1000),
    ),
)
SIGNING_KEYS = KeyPairs(
    SEED, (Key(SIGNING_PAIRS[0], since=None), Key(SIGNING_PAIRS[1]), Key(SIGNING_PAIRS[2], until=AT // 1000))
)


def _webhook_item(webhook: Webhook) -> dict[str, Any]:
    health = {name: value for name, value in health_attributes(HEALTH).items() if value is not None}
    return webhook_key(SCOPE, 7) | webhook_attributes(webhook) | health


def _record_item() -> dict[str, Any]:
    put = put_record("access", RECORD, token="t", webhook_id=WEBHOOK, revision=3, now=1)
    item: dict[str, Any] = put["Put"]["Item"]
    return item


def _license_item() -> dict[str, Any]:
    license_ = IssuedLicense("service", "acme", "north", label="shop", expires_at=AT // 1000)
    return to_item(Issued("ab" * 32, license_, AT // 1000))


def _read_payload(item: dict[str, Any]) -> str:
    """Read by the store, over a table that has the item alone."""
    store = DynamoPayloadStore(_OneItem(item), "deliveries")  # type: ignore[arg-type]  # one call of its clients
    return store.read([DELIVERY.id])[DELIVERY.id]


class _OneItem:
    def __init__(self, item: dict[str, Any]) -> None:
        self.item = item

    @property
    def dynamodb(self) -> "_OneItem":
        return self

    def batch_get_item(self, **_: Any) -> dict[str, Any]:
        return {"Responses": {"deliveries": [self.item]}}


def _read_key_parts(state: Mapping[str, Any]) -> Any:
    return (
        service_keys(part_of(state, SERVICE_PART), Curve.SECP256K1),
        signing_keys(part_of(state, SIGNING_PART)),
        master_secret(part_of(state, MASTER_PART)),
    )


def _written_key_parts() -> Any:
    state: Any = {"parts": {}, "seed": "m" * 64}  # as the template makes it; the master has no part yet
    for part, pairs in ((SERVICE_PART, SERVICE_KEYS), (SIGNING_PART, SIGNING_KEYS)):
        state = with_part(state, part, to_state(pairs))
    return state


def _read_credential(values: Mapping[str, Any]) -> Credential | None:
    return read_credential(json.dumps(values))


def _written_credential() -> Any:
    return json.loads(write_credential(CREDENTIAL))


CASES = [
    Case(forms.PACK, "pack", 1, _pack(), decode_pack, lambda: encode_pack(_pack()), "txt"),
    *(
        Case(forms.PACK, name, 1, pack, decode_pack, lambda pack=pack: encode_pack(pack), "txt")  # type: ignore[misc]
        for name, pack in (
            ("pack-marked", _fresh_pack(again=False)),
            ("pack-again", _fresh_pack(again=True)),
            ("pack-looked", replace(_fresh_pack(again=True), looked_to=f"{AT:012x}-{'8' * 32}+00c0ffee")),
        )
    ),
    Case(
        forms.EVENT_SLICE,
        "slice",
        1,
        SLICE,
        parse_slice,
        lambda: encode_slice(SLICE),
        "txt",
        still_written=True,
    ),
    Case(
        forms.EVENT_SLICE,
        "slice",
        2,
        replace(SLICE, has_conditions=True),
        parse_slice,
        lambda: encode_slice(replace(SLICE, has_conditions=True)),
        "txt",
    ),
    Case(
        forms.EVENT_SLICE,
        "slice-again",
        1,
        SLICE_AGAIN,
        parse_slice,
        lambda: encode_slice(SLICE_AGAIN),
        "txt",
        still_written=True,
    ),
    Case(
        forms.ARRAY_PART,
        "array",
        1,
        {7: '{"eventId":"a"}', 9: '{"eventId":"c"}'},
        lambda text: dict(parse_array(text, message_id="other", sent_at=1).texts),
        lambda: encode_part(PART),
        "txt",
    ),
    *(
        Case(forms.TASK, name, 1, task, decode_task, lambda task=task: encode_task(task), "txt")  # type: ignore[misc]
        for name, task in (
            ("task-page", ReplayPage(SCOPE, REPLAY_ID, 3)),
            ("task-check", WebhookCheck(SCOPE, WEBHOOK, None)),
            ("task-probe", WebhookCheck(SCOPE, WEBHOOK, AT)),
        )
    ),
    Case(forms.LOG_ITEM, "log-dead", 1, _entry(), entry_from, lambda: entry_item(_entry(), 30)),
    Case(forms.LOG_ITEM, "log-shard", 1, _in_a_shard(), entry_from, lambda: entry_item(_in_a_shard(), 30)),
    Case(forms.LOG_ITEM, "log-delivered", 1, _delivered(), entry_from, lambda: entry_item(_delivered(), 30)),
    Case(forms.LOG_ITEM, "log-state", 1, LOGGED, logged_from, lambda: entry_item(_entry(), 30)),
    # Only the key is written by a client: `ADD` makes the rest.
    Case(
        forms.SEEN_WINDOW,
        "seen-window",
        1,
        ("0#1abc", frozenset({b"12345678"})),
        window_from,
        lambda: (
            dict(window_key("0#1abc")) | {HASHES: {"BS": [b"12345678"]}, "expiresAt": {"N": str(AT // 1000)}}
        ),
    ),
    Case(
        forms.SHARED_ITEM,
        "log-shared",
        1,
        [replace(each, is_new=False) for each in _shared()],
        _read_shared,
        lambda: shared_item(_shared(), 30),
    ),
    Case(
        forms.PAYLOAD,
        "payload",
        1,
        BODY,
        _read_payload,
        lambda: dict(chunk_items(DELIVERY.id, BODY, expires_at=AT // 1000)[0]),
    ),
    Case(
        forms.WEBHOOK_ITEM,
        "webhook",
        1,
        STORED,
        lambda item: webhook_from(item, SCOPE),
        lambda: _webhook_item(STORED),
        still_written=True,
    ),
    Case(
        forms.WEBHOOK_ITEM,
        "webhook-sealed",
        2,
        SEALED,
        lambda item: webhook_from(item, SCOPE),
        lambda: _webhook_item(SEALED),
    ),
    Case(
        forms.INDEX_ENTRY,
        "index-entry",
        1,
        IndexEntry(WEBHOOK, STORED.definition.criteria, tuple(STORED.definition.query), sequence=7),
        index_entry_from,
        lambda: entry_key(SCOPE, "order.paid", 7) | entry_attributes(STORED),
    ),
    Case(
        forms.REPLAY,
        "replay",
        1,
        REPLAY,
        lambda item: replay_from(SCOPE, item),
        lambda: replay_item(REPLAY) | {PLAN: plan_attribute(REPLAY.plan or PagePlan(None))},
    ),
    Case(
        forms.INDEX_FIELDS,
        "index-fields",
        2,
        ("customer.id", "kind"),
        fields_from,
        lambda: fields_key(SCOPE, "order.paid") | fields_attributes(["customer.id", "kind"]),
    ),
    Case(
        forms.IDEMPOTENCY_RECORD,
        "idempotency-record",
        1,
        StoredRecord(RECORD.body, "t", WEBHOOK, 3),
        lambda item: record_from(item, now=1),
        _record_item,
    ),
    Case(
        forms.LICENSE,
        "license",
        1,
        License(AuthLevel.SERVICE, "acme", "north", expires_at=AT // 1000, disabled=False, label="shop"),
        license_from,
        _license_item,
    ),
    Case(
        forms.KEY_PAIRS,
        "service-keys",
        1,
        KeyPairs(
            SEED,
            (Key(PAIRS[0], request="reset-1"), Key(PAIRS[1], until=AT // 1000)),
        ),
        lambda state: service_keys(state, Curve.SECP256K1),
    ),
    Case(
        forms.KEY_PAIRS,
        "service-keys",
        2,
        SERVICE_KEYS,
        lambda state: service_keys(state, Curve.SECP256K1),
        lambda: to_state(SERVICE_KEYS),
    ),
    Case(forms.KEY_PAIRS, "signing-keys", 2, SIGNING_KEYS, signing_keys, lambda: to_state(SIGNING_KEYS)),
    Case(forms.MASTER, "master", 1, SEED.encode(), master_secret, lambda: {"seed": SEED}),
    Case(
        forms.KEY_PARTS,
        "key-parts",
        1,
        (SERVICE_KEYS, SIGNING_KEYS, b"m" * 64),
        _read_key_parts,
        _written_key_parts,
    ),
    Case(forms.CREDENTIAL, "credential", 1, CREDENTIAL, _read_credential, _written_credential),
]


def uncompressed(item: Any) -> Any:
    """An item with its payload as text: releases of zlib compress differently."""
    for name in ("data", "body"):
        if isinstance(item, dict) and isinstance(item.get(name), dict) and "B" in item[name]:
            return item | {name: zlib.decompress(item[name]["B"])}
    return item


def missing() -> Iterator[Case]:
    return (each for each in CASES if each.write and not each.path.exists())


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for case in missing():
        written = case.write() if case.write else None
        text = written if case.suffix == "txt" else json.dumps(to_json(written), indent=1) + "\n"
        case.path.write_text(str(text), "utf-8")


if __name__ == "__main__":
    main()
