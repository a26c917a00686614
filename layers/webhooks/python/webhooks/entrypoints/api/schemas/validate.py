"""Reads a JSON object into a schema, or explains each wrong field."""

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from webhooks.domain.errors import InvalidInputError
from webhooks.entrypoints.api.schemas.base import INVALID, ApiModel, Explanation, OtherName

SHOWN = 20  # wrong fields in one message
NAME_SHOWN = 64  # characters of a field's name that the caller made up
_SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not a field here, leave it out",
    "string_unicode": "every field's name must be text that UTF-8 can write",  # values have explanations
}
_OWN = frozenset({INVALID, "missing", "extra_forbidden"})  # types of errors that no explanation replaces


def read[M: ApiModel](schema: type[M], body: Mapping[str, Any]) -> M:
    """Return the body as the schema. Raises InvalidInputError, which never holds a value of the body."""
    for name, other in schema.other_names.items():
        if name in body:
            body = _renamed(body, name, other)
    try:
        return schema.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
    # Several errors in a value that is explained as a whole are one problem.
    problems = list(dict.fromkeys(_problem(schema, each) for each in found))
    more = len(problems) - SHOWN
    # Outside the except clause, so that nothing chains to the error that quotes the body.
    raise InvalidInputError([*problems[:SHOWN], *([f"and {more} more"] if more > 0 else [])])


def _renamed(body: Mapping[str, Any], name: str, other: OtherName) -> dict[str, Any]:
    value = other.read(body[name])
    if body.get(other.field, value) != value:
        raise InvalidInputError([f"{name}: is another name for {other.field}, give one of them"])
    return {each: given for each, given in body.items() if each != name} | {other.field: value}


def _problem(schema: type[BaseModel], error: Mapping[str, Any]) -> str:
    location: tuple[int | str, ...] = error["loc"]
    annotation: Any = schema
    explanation: Explanation | None = None
    for depth, part in enumerate(location, 1):
        annotation, explanation = _part(annotation, part)
        if explanation and explanation.covers_parts:
            return f"{_path(location[:depth])}: {explanation.sentence}"
    if explanation and error["type"] not in _OWN:
        sentence = explanation.sentence
    else:
        sentence = _SENTENCES.get(error["type"], error["msg"])
    return f"{_path(location)}: {sentence}" if location else sentence


def _part(annotation: Any, part: int | str) -> tuple[Any, Explanation | None]:
    """Return the type and the explanation of a model's field or a list's item."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = next((each for each in annotation.model_fields.values() if each.alias == part), None)
        return _unwrapped(field.annotation, field.metadata) if field else (None, None)
    if get_origin(annotation) is list:
        return _unwrapped(get_args(annotation)[0], ())
    return None, None


def _unwrapped(annotation: Any, metadata: Sequence[Any]) -> tuple[Any, Explanation | None]:
    """Take `Annotated` and `| None` off a type."""
    found = next((each for each in metadata if isinstance(each, Explanation)), None)
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        annotation, inner_found = _unwrapped(inner, more)
        return annotation, found or inner_found
    if get_origin(annotation) in (Union, UnionType):
        types = [each for each in get_args(annotation) if each is not NoneType]
        if len(types) == 1:
            annotation, inner_found = _unwrapped(types[0], ())
            return annotation, found or inner_found
    return annotation, found


def _path(location: Sequence[int | str]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            name = part if len(part) <= NAME_SHOWN else f"{part[:NAME_SHOWN]}..."
            path += f".{name}" if path else name
    return path if path.isprintable() else repr(path)[1:-1]
