"""JSON objects on the wire, and how a field says what it should be without saying what it is."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

RULE = "rule"  # the type of the errors that already say what is right


class ApiModel(BaseModel):
    """A JSON object on the wire: camelCase names, JSON types taken as they are, no unknown fields."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)


def wrong(sentence: str) -> PydanticCustomError:
    """Make the error that says what the value should be, and not what it is."""
    return PydanticCustomError(RULE, "{sentence}", {"sentence": sentence})


def rule(sentence: str) -> WrapValidator:
    """Answer what is wrong with a value by one sentence; what is wrong inside it speaks for itself."""

    def check(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=False)
            if any(each["loc"] or each["type"] == RULE for each in found):
                raise
        raise wrong(sentence)  # outside, so that nothing chains to the error that quotes the value

    return WrapValidator(check)


def whole(sentence: str) -> WrapValidator:
    """Answer what is wrong with a value, or anywhere in it, by one sentence."""

    def check(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError:
            pass
        raise wrong(sentence)

    return WrapValidator(check)
