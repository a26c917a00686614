"""DynamoDB's items as the clients return them: as botocore does, without botocore's parsing of each value.

The parser overrides a private method of botocore. These tests fail where a release of botocore changes it.
"""

import inspect
import json
import math
from typing import Any
from unittest import mock

import pytest
from botocore.parsers import JSONParser
from botocore.session import get_session

from tests.aws_stub.responses import stub_client
from tests.lambda_functions import ACCOUNT
from webhooks.adapters.aws.clients import AwsClients

# An attribute of each of DynamoDB's types, as the service writes it: bytes are base64.
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "S": {"S": "text \U0001f600"},
    "N": {"N": "1222223333.00000001"},
    "BOOL": {"BOOL": False},
    "B": {"B": "AAEC/w=="},
    "SS": {"SS": ["a", "b"]},
    "NS": {"NS": ["1", "2.5"]},
    "BS": {"BS": ["AAEC", "/w=="]},
    "M": {"M": {"inner": {"B": "AAEC"}, "text": {"S": "x"}}},
    "L": {"L": [{"B": "AAEC"}, {"N": "1"}, {"M": {"deep": {"BS": ["/w=="]}}}]},
    "NULL": {"NULL": True},
    "empty": {"S": ""},
    "none": {"L": []},
}
PLAIN = {"pk": {"S": "key"}, "version": {"N": "7"}, "enabled": {"BOOL": True}}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def ours() -> Any:
    return AwsClients(time_left=lambda: math.inf).dynamodb


@pytest.fixture
def botocores() -> Any:
    return get_session().create_client("dynamodb")


def client_with(client: Any, content: dict[str, Any]) -> Any:
    """Let the client's next calls get this response."""
    body = json.dumps(content).encode()
    stub_client(client, lambda _operation, _request: body)
    return client


def read(client: Any, item: dict[str, Any]) -> Any:
    return client_with(client, {"Item": item}).get_item(TableName="t", Key={"pk": {"S": "key"}})["Item"]


def parsed_values(client: Any, item: dict[str, Any]) -> int:
    """Return how many attribute values botocore's own code parses while the client reads an item."""
    parser: Any = JSONParser  # its stubs leave out private methods
    handled = parser._handle_structure  # noqa: SLF001 - botocore's, pinned here
    names = []

    def counted(self: Any, shape: Any, value: Any) -> Any:
        names.append(shape.name)
        return handled(self, shape, value)

    with mock.patch.object(JSONParser, "_handle_structure", counted):
        read(client, item)
    return names.count("AttributeValue")


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_an_attribute_of_each_type_is_as_botocore_returns_it(ours: Any, botocores: Any, kind: str) -> None:
    item = PLAIN | {"attribute": ATTRIBUTES[kind]}
    assert read(ours, item) == read(botocores, item)


def test_an_item_of_all_types_is_as_botocore_returns_it(ours: Any, botocores: Any) -> None:
    assert read(ours, ATTRIBUTES) == read(botocores, ATTRIBUTES)


def test_a_batch_is_as_botocore_returns_it(ours: Any, botocores: Any) -> None:
    content = {"Responses": {"t": [PLAIN, ATTRIBUTES]}, "UnprocessedKeys": {"t": {"Keys": [PLAIN]}}}
    batches = [
        client_with(client, content).batch_get_item(RequestItems={"t": {"Keys": [{"pk": {"S": "key"}}]}})
        for client in (ours, botocores)
    ]
    assert batches[0]["Responses"] == batches[1]["Responses"]
    assert batches[0]["UnprocessedKeys"] == batches[1]["UnprocessedKeys"]


def test_an_item_of_texts_numbers_and_booleans_is_not_parsed_again(ours: Any, botocores: Any) -> None:
    assert parsed_values(ours, PLAIN) == 0
    assert parsed_values(botocores, PLAIN) == len(PLAIN)


def test_the_parser_of_botocore_has_the_method_that_ours_overrides() -> None:
    parser: Any = JSONParser  # its stubs leave out private methods
    overridden = parser._handle_map  # noqa: SLF001 - botocore's, pinned here
    assert list(inspect.signature(overridden).parameters) == ["self", "shape", "value"]
