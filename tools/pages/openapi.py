"""The OpenAPI document as the reference page reads it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

JSON = "application/json"
type Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method of a path, or the callback. `bodies`: example bodies by their names."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    text: str
    is_secured: bool
    is_callback: bool
    parameters: tuple[Schema, ...]
    body: Schema | None
    is_body_required: bool
    bodies: Mapping[str, Any]
    responses: Mapping[str, Schema]

    def examples(self) -> dict[str, str]:
        """Return an example of each path parameter, by its name."""
        found = {}
        for parameter in self.parameters:
            if parameter["in"] == "path":
                values = parameter["schema"].get("enum", [""])
                found[parameter["name"]] = str(parameter.get("example", values[0]))
        return found

    @property
    def example(self) -> Any:
        """The first example body; None where there is no body."""
        return next(iter(self.bodies.values()), None)

    @property
    def has_secret(self) -> bool:
        """Whether its response has a signing secret."""
        return any("signingSecret" in (example_of(each) or {}) for each in self.responses.values())


class Document:
    """A document, with its references resolved where they are read."""

    def __init__(self, content: Schema) -> None:
        self.content = content

    def resolve(self, value: Schema) -> Schema:
        """Return the object that a reference names, or the value itself."""
        while "$ref" in value:
            found: Any = self.content
            for part in value["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            value = found
        return value

    def operations(self) -> Iterator[Operation]:
        """Yield the paths' operations and the callback, in the order of their tags."""
        order = [tag["name"] for tag in self.content["tags"]]
        yield from sorted(self._all(), key=lambda operation: order.index(operation.tag))

    def errors(self) -> dict[str, Schema]:
        """Return the error responses of all operations by their statuses."""
        found = {
            status: response
            for operation in self._all()
            if not operation.is_callback
            for status, response in operation.responses.items()
            if is_error(status)
        }
        return dict(sorted(found.items()))

    def _all(self) -> Iterator[Operation]:
        for group, is_callback in (("paths", False), ("webhooks", True)):
            for path, methods in self.content[group].items():
                for method, content in methods.items():
                    yield self._operation(method.upper(), path, content, is_callback=is_callback)

    def _operation(self, method: str, path: str, content: Schema, *, is_callback: bool) -> Operation:
        media = content.get("requestBody", {}).get("content", {}).get(JSON, {})
        return Operation(
            id=content["operationId"],
            method=method,
            path=path,
            tag=content["tags"][0],
            summary=content["summary"].removesuffix("."),
            text=content.get("description", ""),
            is_secured=bool(content.get("security")),
            is_callback=is_callback,
            parameters=tuple(self.resolve(each) for each in content.get("parameters", ())),
            body=media.get("schema"),
            is_body_required=bool(content.get("requestBody", {}).get("required")),
            bodies={name: each["value"] for name, each in media.get("examples", {}).items()},
            responses={status: self.resolve(each) for status, each in content["responses"].items()},
        )


def is_error(status: str) -> bool:
    """Tell whether a response's status, such as 404 or 4XX, is an error."""
    return status[0] in "45"


def example_of(response: Schema) -> Any:
    """Return the example of a response's JSON; None where it has none."""
    return response.get("content", {}).get(JSON, {}).get("example")
