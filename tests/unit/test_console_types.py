"""The console's types have the fields of the document's response schemas, by name."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCHEMAS: dict[str, Any] = json.loads((ROOT / "functions/discovery/openapi.json").read_text())["components"][
    "schemas"
]
TYPES = re.sub(
    r"/\*.*?\*/|//[^\n]*", "", (ROOT / "web/src/console/state/types.ts").read_text("utf-8"), flags=re.DOTALL
)
INTERFACE = re.compile(r"export interface (\w+)(?: extends ([^{]+?))? \{")
MEMBER = re.compile(r"\s*(\w+)\??:\s*(.*)", re.DOTALL)

# Interface and the schemas that it stands for: it has the fields of all of them.
PAIRS = {
    "Credential": ["CredentialOut"],
    "WebhookApi": ["ApiOut"],
    "Webhook": ["WebhookOut", "CreatedOut"],
    "Change": ["ChangeOut"],
    "Health": ["EndpointHealthOut"],
    "WebhookPage": ["PageOut"],
    "WebhookHealth": ["WebhookHealthOut"],
    "CommunityHealth": ["CommunityHealthOut"],
    "Times": ["TimesOut"],
    "Attempt": ["AttemptOut", "ShownAttemptOut"],
    "Delivery": ["DeliveryOut"],
    "DeliveryPage": ["DeliveriesOut"],
    "Bucket": ["BucketOut"],
    "Series": ["SeriesOut"],
    "Replay": ["ReplayOut"],
    "ReplayCount": ["ReplayCountOut"],
    "Condition": ["ConditionOut"],
    "ExplainedWebhook": ["ExplainedOut"],
    "Explanation": ["ExplanationOut"],
    "TestResult": ["SentTestOut"],
    "ServiceKey": ["ServiceKeyOut"],
    "Communities": ["CommunitiesOut"],
}
LEFT_OUT = {"ServiceKey": {"keySecret"}}  # the console never opens it
INLINE = {
    ("Credential", "oauth2"): "OAuth2Out",
    ("Health", "lastFailure"): "FailureOut",
    ("Health", "deliveries"): "SpanOut",
    ("WebhookPage", "page"): "Counts",
    ("Communities", "data"): "CommunityOut",
    ("TestResult", "request"): "TestRequestOut",
    ("TestResult", "response"): "TestResponseOut",
}
UNIONS = {
    "State": SCHEMAS["ChangeOut"]["properties"]["state"]["enum"],
    "Outcome": SCHEMAS["OutcomeName"]["enum"],
}


def split(text: str, separator: str) -> Iterator[str]:
    """Split where no bracket is open."""
    depth, part = 0, ""
    for each in text:
        depth += (each in "{[(<") - (each in "}])>")
        if each == separator and not depth:
            yield part
            part = ""
        else:
            part += each
    yield part


def members(body: str) -> dict[str, str]:
    """Return the members of an object type: name and type."""
    found = (MEMBER.match(part) for part in split(body, ";"))
    return {match[1]: match[2] for match in found if match}


def block(text: str, start: int) -> str:
    """Return the text of the block whose brace opens before `start`."""
    depth, end = 1, start
    while depth:
        depth += (text[end] == "{") - (text[end] == "}")
        end += 1
    return text[start : end - 1]


@cache
def interfaces() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for match in INTERFACE.finditer(TYPES):
        inherited: dict[str, str] = {}
        for base in split(match[2] or "", ","):
            if keys := re.match(r"\s*Record<(\w+), (\w+)>", base):
                inherited |= dict.fromkeys(union(keys[1]), keys[2])
            else:
                inherited |= found.get(base.strip(), {})
        found[match[1]] = inherited | members(block(TYPES, match.end()))
    return found


def union(name: str) -> list[str]:
    match = re.search(rf"export type {name} =([^;]+);", TYPES)
    assert match, name
    return re.findall(r'"(\w+)"', match[1])


def fields(schema: str) -> set[str]:
    return set(SCHEMAS[schema]["properties"])


@pytest.mark.parametrize("name", PAIRS)
def test_an_interface_has_the_fields_of_its_schemas(name: str) -> None:
    expected = set[str]().union(*map(fields, PAIRS[name])) - LEFT_OUT.get(name, set())
    assert set(interfaces()[name]) == expected


@pytest.mark.parametrize(("name", "field"), INLINE)
def test_an_object_inside_has_the_fields_of_its_schema(name: str, field: str) -> None:
    text = interfaces()[name][field]
    assert set(members(block(text, text.index("{") + 1))) == fields(INLINE[name, field])


@pytest.mark.parametrize("name", UNIONS)
def test_a_union_has_the_values_of_its_enum(name: str) -> None:
    assert set(union(name)) == set(UNIONS[name])


def test_a_replay_has_the_states_of_its_schema() -> None:
    states = re.findall(r'"(\w+)"', interfaces()["Replay"]["state"])
    assert set(states) == set(SCHEMAS["ReplayOut"]["properties"]["state"]["enum"])


def test_every_interface_is_compared() -> None:
    assert set(interfaces()) == set(PAIRS)
