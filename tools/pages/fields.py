"""Fields of a schema as an HTML list: name, type, description, limits, and the fields inside."""

import html
import json
from collections.abc import Iterator, Sequence
from typing import Any

from tools.pages.markdown import markdown
from tools.pages.openapi import Document, Schema

DEPTH = 5
LONG_PATTERN = 40


class Fields:
    """Writes the fields of a document's schemas."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def body(self, schema: Schema, *, prefix: str = "", depth: int = 0) -> str:
        """Return the fields of an object, or of the objects in an array. `prefix`: of the fields' ids."""
        found = self._object(schema)
        if found is None or depth > DEPTH:
            return ""
        required = set(found.get("required", ()))
        rows = (
            self._field(name, each, is_required=name in required, prefix=prefix, depth=depth)
            for name, each in found["properties"].items()
        )
        return f'<ul class="fields">{"".join(rows)}</ul>'

    def parameters(self, parameters: Sequence[Schema], *, prefix: str) -> str:
        """Return path, query or header parameters."""
        rows = (
            self._field(
                each["name"],
                {**each["schema"], "description": each.get("description", "")},
                is_required=bool(each.get("required")),
                prefix=prefix,
                depth=0,
            )
            for each in parameters
        )
        return f'<ul class="fields">{"".join(rows)}</ul>'

    def kind(self, schema: Schema) -> str:
        """Return a schema's type in words: "array of strings or null"."""
        schema = self._document.resolve(schema)
        if "const" in schema:
            return json.dumps(schema["const"])
        for choices in ("anyOf", "oneOf"):
            if choices in schema and "type" not in schema:
                return " or ".join(dict.fromkeys(map(self.kind, schema[choices])))
        kinds = schema.get("type", "any JSON value")
        return " or ".join(
            self._kind(each, schema) for each in ([kinds] if isinstance(kinds, str) else kinds)
        )

    def _kind(self, kind: str, schema: Schema) -> str:
        if kind == "array" and "prefixItems" in schema:
            return f"array of {', '.join(map(self.kind, schema['prefixItems']))}"
        if kind == "array" and schema.get("items"):
            return f"array of {_plural(self.kind(schema['items']))}"
        more = schema.get("additionalProperties")
        if kind == "object" and isinstance(more, dict):
            return f"object of {_plural(self.kind(more))}"
        return kind

    def _field(self, name: str, schema: Schema, *, is_required: bool, prefix: str, depth: int) -> str:
        text = schema.get("description") or self._document.resolve(schema).get("description", "")
        shown = f'<code class="n">{html.escape(name)}</code>'
        place = f"{prefix}.{name}" if prefix else ""
        if place:
            shown = f'<a class="anchor" tabindex="-1" href="#{place}">{shown}</a>'
        parts = [
            f"<li{f' id="{place}"' if place else ''}>",
            f'<div>{shown} <span class="t">{html.escape(self.kind(schema))}</span>',
            ' <span class="req">required</span>' if is_required else "",
            "</div>",
            markdown(text),
        ]
        if limits := "; ".join(self._limits(schema)):
            parts.append(f'<p class="lim">{limits[0].upper() + limits[1:]}.</p>')
        parts += [
            f'<details class="pattern"><summary>Pattern</summary><code>{html.escape(each)}</code></details>'
            for each in self._long_patterns(schema)
        ]
        if inside := self.body(schema, depth=depth + 1):
            parts.append(f"<details><summary>Fields of {html.escape(name)}</summary>{inside}</details>")
        return "".join((*parts, "</li>"))

    def _object(self, schema: Schema) -> Schema | None:
        """Return the schema that has the properties: itself, its items', or a choice's."""
        schema = self._document.resolve(schema)
        if schema.get("properties"):
            return schema
        inside = [schema["items"]] if "items" in schema else []
        for choices in ("anyOf", "oneOf", "allOf"):
            inside += schema.get(choices, [])
        return next((found for each in inside if (found := self._object(each))), None)

    def _long_patterns(self, schema: Schema) -> list[str]:
        """Return the patterns that a reader need not see at once: the description has them in words."""
        schema = self._document.resolve(schema)
        inside = [schema, schema.get("items") or {}, *schema.get("oneOf", ())]
        return [each["pattern"] for each in inside if len(each.get("pattern", "")) > LONG_PATTERN]

    def _limits(self, schema: Schema) -> Iterator[str]:
        schema = self._document.resolve(schema)
        if values := [each for each in schema.get("enum", ()) if each is not None]:
            yield "one of " + ", ".join(_code(each) for each in values)
        if number := _range(schema, "minimum", "maximum"):
            yield number
        for of, one in (("Length", "character"), ("Items", "item"), ("Properties", "field")):
            if count := _range(schema, f"min{of}", f"max{of}"):
                yield f"{count} {one if count.removeprefix('at least ') == '1' else f'{one}s'}"
        if schema.get("format") == "date-time":
            yield "a time as RFC 3339 writes it"
        pattern = schema.get("pattern", "")
        if pattern and len(pattern) <= LONG_PATTERN:
            yield f"matches <code>{html.escape(pattern)}</code>"
        if "default" in schema:
            yield f"default {_code(schema['default'])}"
        yield from self._item_limits(schema)

    def _item_limits(self, schema: Schema) -> Iterator[str]:
        items = self._document.resolve(schema.get("items") or {})
        choices = items.get("anyOf") or [items]
        if items and "properties" not in items:
            of_each = [found for each in choices if (found := ", ".join(self._limits(each)))]
            if of_each:
                yield f"each {' or '.join(of_each)}"


def _range(schema: Schema, least: str, most: str) -> str:
    low, high = schema.get(least), schema.get(most)
    if low is None or high is None:
        return f"at least {low}" if low is not None else f"at most {high}" if high is not None else ""
    return str(low) if low == high else f"{low} to {high}"


def _code(value: Any) -> str:
    return f"<code>{html.escape(value if isinstance(value, str) else json.dumps(value))}</code>"


def _plural(kind: str) -> str:
    """Return a type's name in the plural; a choice of types stays as it is."""
    return kind if " " in kind or kind.startswith('"') else f"{kind}s"
