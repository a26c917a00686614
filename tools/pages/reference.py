"""The reference page: the OpenAPI document as HTML that reads, prints and links without a script."""

import html
import itertools
import json
import re
from pathlib import Path
from typing import Any

from tools.pages.fields import Fields
from tools.pages.markdown import markdown
from tools.pages.openapi import Document, Operation, Schema, example_of, is_error
from tools.pages.samples import BASE, as_json, quoted, samples

# That member of the document is a section of the page.
CALLBACKS = ("under <code>webhooks</code>", 'under <a href="#callback"><code>webhooks</code></a>')
TEMPLATE = Path(__file__).with_suffix(".html")
SECURED = (
    '<p class="lim">With the three headers of <a href="#authentication">Authentication</a>: '
    "<code>licensekey</code>, <code>requestid</code>, <code>publickey</code>.</p>"
)
# Private-use characters around a value that the page's script replaces: name, value.
MARK = "\ue000{}\ue001{}\ue002"
MARKED = re.compile("\ue000(\\w+)\ue001(.*?)\ue002")


def reference(content: Schema, *, script: str, style: str) -> str:
    """Return the page of a document; the same for the same arguments."""
    return Reference(Document(content)).page(script=script, style=style)


class Reference:
    """Writes the parts of the page."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._fields = Fields(document)
        self._operations = list(document.operations())

    def page(self, *, script: str, style: str) -> str:
        """Return the page."""
        info = self._document.content["info"]
        overview, authentication = _parted(info["description"])
        # Braces of the script and of the style are none of the template's.
        return TEMPLATE.read_text("utf-8").format(
            title=html.escape(info["title"]),
            version=html.escape(info["version"]),
            contents=self._contents(),
            base=BASE,
            overview=markdown(overview).replace(*CALLBACKS),
            authentication=markdown(authentication) + self._security(),
            operations="\n".join(self._groups()),
            errors=self._errors(),
            data=self._data(),
            script=script,
            style=style,
        )

    def _security(self) -> str:
        schemes = self._document.content["components"]["securitySchemes"]
        headers = [{**scheme, "required": True, "schema": {"type": "string"}} for scheme in schemes.values()]
        return self._fields.parameters(headers, prefix="authentication")

    def _contents(self) -> str:
        return "".join(
            f'<li><a class="g" href="#{_slug(tag)}">{html.escape(tag)}</a><ul>'
            + "".join(
                f'<li><a href="#{each.id}">{_method(each)}<span>{html.escape(each.summary)}</span></a></li>'
                for each in group
            )
            + "</ul></li>"
            for tag, group in self._by_tag()
        )

    def _by_tag(self) -> list[tuple[str, list[Operation]]]:
        groups = itertools.groupby(self._operations, key=lambda operation: operation.tag)
        return [(tag, list(group)) for tag, group in groups]

    def _groups(self) -> list[str]:
        texts = {tag["name"]: tag["description"] for tag in self._document.content["tags"]}
        return [
            f'<section aria-labelledby="{_slug(tag)}"><div class="text"><h2 id="{_slug(tag)}">'
            f"{html.escape(tag)}</h2>{markdown(texts[tag])}</div>"
            f"{''.join(map(self._operation, group))}</section>"
            for tag, group in self._by_tag()
        ]

    def _operation(self, operation: Operation) -> str:
        place = "your endpoint" if operation.is_callback else operation.path
        link = f'<a class="anchor" href="#{operation.id}">{html.escape(operation.summary)}</a>'
        parts = [
            f'<h3 id="{operation.id}">{link}</h3>',
            f'<p class="sig">{_method(operation)} <code>{html.escape(place)}</code></p>',
            f'<p class="lim">operationId <code>{operation.id}</code></p>',
            markdown(operation.text),
            SECURED if operation.is_secured else "",
        ]
        for where, title in (("path", "Path"), ("query", "Query"), ("header", "Headers")):
            if given := [each for each in operation.parameters if each["in"] == where]:
                parts += [f"<h4>{title}</h4>", self._fields.parameters(given, prefix=operation.id)]
        if operation.body is not None:
            text = self._document.resolve(operation.body).get("description", "")
            parts += ["<h4>Body</h4>", markdown(text), self._fields.body(operation.body, prefix=operation.id)]
        parts += self._responses(operation)
        number = "" if operation.is_callback else f' data-op="{operation.id}"'
        return (
            f'<section class="op" aria-labelledby="{operation.id}"{number}><div class="text">{"".join(parts)}'
            f'</div><div class="beside">{self._code(operation)}</div></section>'
        )

    def _responses(self, operation: Operation) -> list[str]:
        parts, errors = [], []
        for status, response in operation.responses.items():
            if is_error(status) and not operation.is_callback:
                errors.append(f'<a href="#error-{status}">{status}</a>')
                continue
            phrase = html.escape(response["description"])
            if operation.is_callback:
                parts.append(f"<h4>Response {status}</h4>{markdown(phrase)}")
            else:
                parts.append(f"<h4>Response {status} {phrase}</h4>")
            for kind, media in response.get("content", {}).items():
                schema = self._document.resolve(media["schema"])
                inside = self._fields.body(schema)
                text = schema.get("description") or f"`{kind}`, {self._fields.kind(schema)}."
                parts.append(markdown(text) + inside)
        if errors:
            parts.append(f'<p class="lim">Errors: {", ".join(errors)}.</p>')
        return parts

    def _code(self, operation: Operation) -> str:
        """Return the samples and the example of the response."""
        if operation.is_callback:
            return _example("Body", operation.example)
        values = {name: MARK.format(name, quoted(each)) for name, each in operation.examples().items()}
        made = samples(operation, base=MARK.format("base", BASE), values=values)
        shown = "".join(
            f'<details name="sample-{operation.id}" data-language="{each.language}"'
            f"{'' if at else ' open'}><summary>{each.language}</summary>{_code_block(each.text)}</details>"
            for at, each in enumerate(made)
        )
        examples = "".join(
            _example(f"Response {status}", found)
            for status, response in operation.responses.items()
            if not is_error(status) and (found := example_of(response)) is not None
        )
        return f'<div class="samples card">{shown}</div>{examples}'

    def _errors(self) -> str:
        rows = "".join(
            f'<dt id="error-{status}">{status} {html.escape(response["description"])}</dt>'
            f"<dd>{_headers(response)}{_code_block(json.dumps(example_of(response)))}</dd>"
            for status, response in self._document.errors().items()
        )
        body = self._fields.body({"$ref": "#/components/schemas/ErrorOut"})
        return f'{body}<dl class="errors">{rows}</dl>'

    def _data(self) -> str:
        """Return the script's part of the document: JSON that may stand in a script element."""
        operations: dict[str, Any] = {
            each.id: {
                "method": each.method,
                "path": each.path,
                "secured": each.is_secured,
                "parameters": [
                    {
                        "name": of["name"],
                        "in": of["in"],
                        "required": bool(of.get("required")),
                        "example": str(of.get("example", "")),
                        "values": of["schema"].get("enum"),
                    }
                    for of in each.parameters
                ],
                "hasBody": each.body is not None,
                "bodyRequired": each.is_body_required,
                "bodies": each.bodies,
            }
            for each in self._operations
            if not each.is_callback
        }
        phrases = {
            status: response["description"]
            for operation in self._operations
            if not operation.is_callback
            for status, response in operation.responses.items()
        }
        data = {"operations": operations, "phrases": dict(sorted(phrases.items()))}
        return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _parted(description: str) -> tuple[str, str]:
    """Return the description without its paragraph on authentication, and that paragraph."""
    title = "**Authentication.**"
    blocks = description.strip().split("\n\n")
    [of_it] = [each for each in blocks if each.startswith(title)]
    return "\n\n".join(each for each in blocks if each != of_it), of_it.removeprefix(title)


def _method(operation: Operation) -> str:
    return f'<span class="m {operation.method.lower()}">{operation.method}</span>'


def _slug(tag: str) -> str:
    return "tag-" + re.sub(r"\W+", "-", tag.lower())


def _example(title: str, value: Any) -> str:
    shown = f"<summary>{title}</summary>{_code_block(as_json(value))}"
    return f'<div class="samples card"><details open>{shown}</details></div>'


def _code_block(text: str) -> str:
    shown = MARKED.sub(r'<span data-value="\1">\2</span>', html.escape(text.rstrip("\n")))
    return f'<pre class="code" tabindex="0">{shown}</pre>'


def _headers(response: Schema) -> str:
    """Return the names of a response's headers but that of every response."""
    names = [name for name in response.get("headers", {}) if name != "x-request-id"]
    return "".join(f"<p>With the header <code>{name}</code>.</p>" for name in names)
