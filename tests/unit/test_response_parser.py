"""Items from the clients' own parser, which overrides a private method of botocore: pinned here."""

import json
from typing import Any

import pytest
from botocore.parsers import JSONParser
from botocore.session import Session, get_session

from webhooks.adapters.aws.response_parser import session_with_parser

PLAIN = {"s": {"S": "ü"}, "n": {"N": "1.50"}, "t": {"BOOL": True}}
OTHER = {"b": {"B": "AAE="}, "m": {"M": {"b": {"B": "AA=="}}}, "l": {"L": [{"N": "1"}]}, "z": {"NULL": True}}


def parsed(session: Session, item: dict[str, Any]) -> Any:
    parser = session.get_component("response_parser_factory").create_parser("json")
    shape = session.get_service_model("dynamodb").operation_model("GetItem").output_shape
    body = json.dumps({"Item": item}).encode()
    return parser.parse({"status_code": 200, "headers": {}, "body": body}, shape)["Item"]


@pytest.mark.parametrize("item", [PLAIN, OTHER, PLAIN | OTHER, {}])
def test_an_item_is_the_same_as_from_botocore(item: dict[str, Any]) -> None:
    assert parsed(session_with_parser(), item) == parsed(get_session(), item)


@pytest.mark.parametrize(("item", "is_built_anew"), [(PLAIN, False), (OTHER, True)])
def test_plain_values_are_not_built_anew(
    monkeypatch: pytest.MonkeyPatch, item: dict[str, Any], is_built_anew: bool
) -> None:
    shapes = []
    handle = vars(JSONParser.__mro__[1])["_handle_structure"]

    def handle_structure(parser: JSONParser, shape: Any, value: Any) -> Any:
        shapes.append(shape.name)
        return handle(parser, shape, value)

    monkeypatch.setattr(JSONParser, "_handle_structure", handle_structure)

    parsed(session_with_parser(), item)

    assert ("AttributeValue" in shapes) is is_built_anew
