"""The reference page as it is written: markdown, fields and the page, without a browser."""

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.factories import InMemoryApp
from tools.pages.fields import Fields
from tools.pages.markdown import markdown
from tools.pages.openapi import Document
from tools.pages.reference import reference
from tools.pages.samples import as_json, as_python

ROOT = Path(__file__).parents[2]
CONTENT: dict[str, Any] = json.loads((ROOT / "functions/discovery/openapi.json").read_text())
MOST = 100_000  # bytes, compressed
EMPTY = {"meta", "link", "input", "br", "path"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\ntwo\n\nthree", "<p>one two</p><p>three</p>"),
        ("**bold** `<code> **x**` & [link](#a.b)", None),
        ("- a\n  more\n- b", "<ul><li>a more</li><li>b</li></ul>"),
        ("before:\n1. a\n2. b", "<p>before:</p><ol><li>a</li><li>b</li></ol>"),
        ("<script>", "<p>&lt;script&gt;</p>"),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
        ("", ""),
    ],
)
def test_markdown(text: str, expected: str | None) -> None:
    if expected is None:
        expected = (
            '<p><strong>bold</strong> <code>&lt;code&gt; **x**</code> &amp; <a href="#a.b">link</a></p>'
        )
    assert markdown(text) == expected


@pytest.mark.parametrize(
    ("schema", "kind", "limits"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 9}, "string", "1 to 9 characters."),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, "array of strings", "At least 1 item."),
        ({"type": ["array", "null"], "items": {"type": "integer"}, "maxItems": 5}, "array of integers or null", "At most 5 items."),
        ({"type": "integer", "minimum": 0, "maximum": 2, "default": 1}, "integer", "0 to 2; default <code>1</code>."),
        ({"enum": ["a", "b", None], "type": ["string", "null"]}, "string or null", "One of <code>a</code>, <code>b</code>."),
        ({"type": "array", "items": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 0}, {"type": "integer", "minimum": 100, "maximum": 599}]}}, "array of integers", "Each 0 or 100 to 599."),
        ({"anyOf": [{"$ref": "#/components/schemas/PublicKeyOut"}, {"type": "null"}]}, "object or null", None),
        ({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}, "string or array of strings", None),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "object of integers", None),
        ({"type": "array", "prefixItems": [{"type": "string"}, {"type": ["integer", "null"]}]}, "array of string, integer or null", None),
        ({"const": "ecdsa"}, "&quot;ecdsa&quot;", None),
        ({}, "any JSON value", None),
        ({"type": "string", "pattern": "^a$", "format": "date-time"}, "string", "A time as RFC 3339 writes it; matches <code>^a$</code>."),
    ],
)  # fmt: skip
def test_a_field_has_its_type_and_its_limits(schema: dict[str, Any], kind: str, limits: str | None) -> None:
    text = Fields(Document(CONTENT)).body({"properties": {"x": schema}, "required": ["x"]})

    assert f'<code class="n">x</code> <span class="t">{kind}</span> <span class="req">required</span>' in text
    found = re.findall('<p class="lim">(.*?)</p>', text)
    assert found == ([limits] if limits else [])


def test_a_field_inside_is_folded_and_a_long_pattern_too() -> None:
    inside = {"type": "object", "properties": {"b": {"type": "string", "pattern": "x" * 90}}}
    text = Fields(Document(CONTENT)).body({"properties": {"a": inside}}, prefix="op")
    assert text.startswith(
        '<ul class="fields"><li id="op.a"><div><a class="anchor" tabindex="-1" href="#op.a">'
    )
    assert "<details><summary>Fields of a</summary>" in text
    assert f'<details class="pattern"><summary>Pattern</summary><code>{"x" * 90}</code></details>' in text


def test_a_schema_that_contains_itself_ends() -> None:
    content = {
        "components": {"schemas": {"Tree": {"properties": {"kids": {"$ref": "#/components/schemas/Tree"}}}}}
    }
    assert Fields(Document(content)).body({"$ref": "#/components/schemas/Tree"}).count("Fields of kids") > 1


def test_values_are_laid_out_and_stay_the_same() -> None:
    value = {"a": [1, 2.5, None, True, "ü'\"\n"], "long": ["x" * 40, {"y": []}], "empty": {}}
    assert json.loads(as_json(value)) == value
    assert eval(as_python(value)) == value
    assert as_json({"a": 1}) == '{"a": 1}'


class Balance(HTMLParser):
    """Checks that every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        assert "style" not in found
        assert not [name for name in found if name.startswith("on")]
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name, value in attrs if name == "href" and value]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag, self.getpos()


def test_the_page_is_well_formed_and_its_links_lead_somewhere() -> None:
    parser = Balance()
    parser.feed(reference(CONTENT, script="s", style="t"))
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    inner = {each[1:] for each in parser.links if each.startswith("#")}
    assert inner <= set(parser.ids)
    assert {each for each in parser.links if not each.startswith("#")} == {
        "console",
        "openapi.json",
        "data:,",
    }


def test_the_page_has_every_operation_with_its_samples_and_errors_once() -> None:
    page = reference(CONTENT, script="s", style="t")
    operations = [each for each in Document(CONTENT).operations() if not each.is_callback]
    for operation in operations:
        assert page.count(f'<h3 id="{operation.id}">') == 1
        assert page.count(f'name="sample-{operation.id}"') == 3
    for status in Document(CONTENT).errors():
        assert page.count(f'<dt id="error-{status}">') == 1


def test_the_page_carries_the_scripts_part_as_json() -> None:
    page = reference(CONTENT, script="const a = '{}';", style="b {}")
    [text] = re.findall('<script type="application/json" id="operations">(.*?)</script>', page)
    data = json.loads(text)
    create = data["operations"]["createWebhook"]
    assert (create["method"], create["secured"], create["bodyRequired"]) == ("PUT", True, True)
    assert create["bodies"]["small"]["name"] == "orders"
    assert data["phrases"]["409"] == "Conflict"
    assert "<" not in text
    assert "<script>const a = '{}';</script>" in page
    assert "<style>b {}</style>" in page


def test_the_page_is_the_same_each_time_and_small() -> None:
    assert reference(CONTENT, script="s", style="t") == reference(CONTENT, script="s", style="t")
    served = InMemoryApp().call("GET", "/docs", by=None).text
    assert len(gzip.compress(served.encode())) < MOST


def test_the_served_page_is_made_of_the_present_document() -> None:
    served = InMemoryApp().call("GET", "/docs", by=None).text
    [script] = re.findall("<script>(.*?)</script>", served, re.DOTALL)
    [style] = re.findall("<style>(.*?)</style>", served, re.DOTALL)
    assert reference(CONTENT, script=script, style=style) == served
