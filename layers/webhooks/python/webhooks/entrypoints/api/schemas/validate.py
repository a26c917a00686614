"""Reads a JSON object into a schema, or says of every wrong field what it should be."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from webhooks.domain.errors import InvalidInputError

SHOWN = 20  # wrong fields in one message
NAME_SHOWN = 64  # characters of a field's name that the caller made up
_SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not a field here, leave it out",
    "string_unicode": "every field's name must be text that UTF-8 can write",  # values have their own rules
}


def read[M: BaseModel](schema: type[M], body: Any) -> M:
    """Return the body as the schema. Raises InvalidInputError, which never holds a value of the body."""
    try:
        return schema.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
    problems = [_problem(each["loc"], each["type"], each["msg"]) for each in found[:SHOWN]]
    if len(found) > SHOWN:
        problems.append(f"and {len(found) - SHOWN} more")
    raise InvalidInputError(problems)


def _problem(location: Sequence[int | str], kind: str, message: str) -> str:
    sentence = _SENTENCES.get(kind, message)
    return f"{_path(location)}: {sentence}" if location else sentence


def _path(location: Sequence[int | str]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            name = part if len(part) <= NAME_SHOWN else f"{part[:NAME_SHOWN]}..."
            path += f".{name}" if path else name
    return path if path.isprintable() else repr(path)[1:-1]
