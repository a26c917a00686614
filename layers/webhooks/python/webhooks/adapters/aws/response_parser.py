"""A botocore session that returns DynamoDB's items as they are in the response."""

from functools import cache
from typing import Any

from botocore.parsers import JSONParser, ResponseParser, ResponseParserFactory
from botocore.session import Session, get_session

_AS_RETURNED = frozenset(("S", "N", "BOOL"))  # the JSON of these types is what botocore returns


def session_with_parser() -> Session:
    session = get_session()
    session.register_component("response_parser_factory", _ParserFactory())
    return session


class _ItemParser(JSONParser):
    """Takes items as they are, unless they hold bytes or another type that must be decoded.

    Botocore builds each value anew and tries all of its ten types: half of the CPU of a call that reads.
    """

    def _handle_map(self, shape: Any, value: Any) -> Any:
        if shape.value.name == "AttributeValue" and all(map(_AS_RETURNED.issuperset, value.values())):
            return value
        return super()._handle_map(shape, value)  # type: ignore[misc]  # botocore has no types


class _ParserFactory(ResponseParserFactory):
    """Makes one parser for each protocol: parsers keep nothing of a response, and botocore asks for each."""

    @cache  # noqa: B019 - a session has one factory, which lives as long
    def create_parser(self, protocol_name: str) -> ResponseParser:
        return _ItemParser() if protocol_name == "json" else super().create_parser(protocol_name)
