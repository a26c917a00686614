import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.command_line import CommandLine
from webhooks.domain.event import Event, parse_event
from webhooks_cli.commands.publish import batches
from webhooks_cli.errors import WrongUseError
from webhooks_cli.event_files import EventText, changed, copies, event_text, parse_override, read_documents

EVENTS = Path(__file__).parents[3] / "events"
SHAPES = ("native.json", "platform.json", "eventbridge.json")


def sample(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EVENTS / name).read_text())
    return content


def parsed(event: dict[str, Any]) -> Event:
    return parse_event(event_text("a test", event).text, message_id="of-the-queue", sent_at=0)


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        ('{"a": 1}', [("f", {"a": 1})]),
        ('[{"a": 1}, {"b": 2}]', [("f, event 1", {"a": 1}), ("f, event 2", {"b": 2})]),
        ('{"a": 1}\n{"b": 2}\n\n', [("f, event 1", {"a": 1}), ("f, event 2", {"b": 2})]),
        ('\ufeff{\n"a": 1\n}\n{"b": 2}', [("f, event 1", {"a": 1}), ("f, event 2", {"b": 2})]),
    ],
    ids=["an object", "an array", "one per line", "one after the other"],
)
def test_a_file_holds_one_event_or_several(text: str, documents: list[tuple[str, dict[str, int]]]) -> None:
    assert read_documents(text, "f") == documents


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no event"),
        ("[]", "holds no event"),
        ('{"a": 1}\n{"b": ', "begins at line 2"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_file_without_events_is_refused_with_its_line(text: str, reason: str) -> None:
    with pytest.raises(WrongUseError, match=reason):
        read_documents(text, "f")


@pytest.mark.parametrize("name", SHAPES)
def test_tenant_community_name_and_id_are_set_in_every_shape(name: str) -> None:
    overrides = [("tenantId", "t2"), ("communityId", "c2"), ("eventName", "other.name"), ("eventId", "e2")]
    event = parsed(changed(sample(name), overrides))
    assert (event.scope.tenant_id, event.scope.community_id) == ("t2", "c2")
    assert (event.name, event.id) == ("other.name", "e2")
    assert set(event.data) == set(parsed(sample(name)).data), "no field was added"


@pytest.mark.parametrize("name", SHAPES)
def test_copies_differ_in_their_ids_only(name: str, webhooks: CommandLine) -> None:
    made = [parsed(copy) for copy in copies(sample(name), 3, random_bytes=webhooks.random_bytes)]
    assert len({event.id for event in made}) == 3
    assert {event.log_time for event in made} == {parsed(sample(name)).log_time}


def test_a_dotted_name_reaches_into_objects_and_makes_them() -> None:
    event = changed({"data": {"a": 1}}, [parse_override("data.b.c=[1, 2]"), parse_override("data.d=text")])
    assert event == {"data": {"a": 1, "b": {"c": [1, 2]}, "d": "text"}}


def test_an_override_leaves_its_source_event_unchanged() -> None:
    before = sample("native.json")
    changed(before, [("data.amount", 0)])
    assert before == sample("native.json")


@pytest.mark.parametrize("text", ["tenantId", "=x", ".a=1", "a..b=1"])
def test_an_override_without_a_name_and_value_is_refused(text: str) -> None:
    with pytest.raises(WrongUseError, match="--set takes name=value"):
        parse_override(text)


def test_an_override_reaches_into_objects_only() -> None:
    with pytest.raises(WrongUseError, match="eventName is no object"):
        changed(sample("native.json"), [("eventName.x", 1)])


@pytest.mark.parametrize("name", SHAPES)
def test_the_tenant_is_the_message_group(name: str) -> None:
    assert event_text("a test", sample(name)).group == "acme"


@pytest.mark.parametrize(
    "event", [3, [], {}, {"detail-type": "x"}, {"tenantId": 7}, {"detail-type": "x", "detail": []}]
)
def test_an_event_without_a_tenant_has_no_group(event: object) -> None:
    assert event_text("a test", event).group is None


def test_a_batch_carries_at_most_ten_events_and_one_mebibyte() -> None:
    small = [EventText("s", "x", "t")] * 23
    assert [len(batch) for batch in batches(small)] == [10, 10, 3]
    large = [EventText("l", "x" * 400_000, "t")] * 5
    assert [len(batch) for batch in batches(large)] == [2, 2, 1]


@pytest.mark.parametrize("number", ["1222223333.00000001", "1E-400", "19.90", "9007199254740993"])
def test_a_number_is_published_as_the_file_has_it(number: str) -> None:
    text = (EVENTS / "native.json").read_text().rstrip().removesuffix("}") + f',"n":[{number}]}}'
    [(source, document)] = read_documents(text, "f")
    [copy] = copies(changed(document, [parse_override(f"data.amount={number}")]), 1, random_bytes=bytes)

    published = event_text(source, copy).text

    assert f'"n":[{number}]' in published
    assert f'"amount":{number}' in published
