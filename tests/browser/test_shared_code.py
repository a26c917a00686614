"""The protocol's known answers, in Chromium: envelopes of both curves, sealed here and opened there and back."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests import plain_protocol
from tests.browser.conftest import open_context
from tests.browser.service import Service
from tools.pages import node

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "vectors" / "ecdsa.json").read_text())
IDS = [f"{vector['curve']}: {vector['name']}" for vector in VECTORS]
SIDES = [("client", "server"), ("server", "client")]
CURVES = ["secp256k1", "prime256v1"]
UNICODE = 'naïve ☂ 😀 "\\ \n' + "x" * 300_000  # longer than the arguments that a call may have

# In every script: the key that a side shares with the other's public key.
KEY = """const {keyId, keySecret, peer, curve} = given;
const key = await page.sharedKey(curve, {keyId, keySecret}, peer);"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with the shared code as the global `page`."""
    folder = tmp_path_factory.mktemp("bundle")
    node.install()
    node.tool("vite", "build", "--mode", "test", "--outDir", folder, "--logLevel", "error")
    service, context = Service(), open_context(browser)
    page = context.new_page()
    page.goto(f"{service.url}/openapi.json")  # WebCrypto wants an origin
    page.evaluate(f"{(folder / 'app.js').read_text('utf-8')}\nglobalThis.page = page")
    yield page
    context.close()
    service.close()


def run(page: Page, script: str, **given: Any) -> Any:
    return page.evaluate(f"async given => {{ {script} }}", given)


def pair_of(vector: dict[str, Any], own: str, other: str) -> dict[str, str]:
    return {
        "curve": vector["curve"],
        "keyId": vector[own]["publicKey"],
        "keySecret": vector[own]["privateKey"],
        "peer": vector[other]["publicKey"],
    }


@pytest.mark.parametrize(("own", "other"), SIDES)
@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_known_answers(page: Page, vector: dict[str, Any], own: str, other: str) -> None:
    iv = list(bytes.fromhex(vector["iv_hex"]))
    for known in vector["enc"]:
        given = {**pair_of(vector, own, other), "plain": known["plain"], "cipher": known["cipher"], "iv": iv}
        sealed = run(page, f"{KEY} return page.seal(key, given.plain, new Uint8Array(given.iv))", **given)
        opened = run(page, f"{KEY} return page.open(key, given.cipher)", **given)
        assert (sealed, opened) == (known["cipher"], known["plain"])


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_the_curve_is_seen_from_a_public_key(page: Page, vector: dict[str, Any]) -> None:
    for side in ("client", "server"):
        key = vector[side]["publicKey"]
        assert run(page, "return page.curveOf(given.key)", key=key) == vector["curve"]


@pytest.mark.parametrize("curve", CURVES)
def test_a_new_pair_and_python_read_each_other(page: Page, curve: str) -> None:
    python = plain_protocol.KeyPair(plain_protocol.CURVES[curve], 0xC0FFEE << 200)
    made = run(page, "return page.newPair(given.curve)", curve=curve)
    given = {**made, "curve": curve, "peer": python.public, "text": UNICODE}
    key = plain_protocol.shared_key(python, made["keyId"])

    sealed = run(page, f"{KEY} return page.seal(key, given.text)", **given)
    opened = run(
        page, f"{KEY} return page.open(key, given.sealed)", **given, sealed=plain_protocol.seal(key, UNICODE)
    )

    assert plain_protocol.unseal(key, sealed) == UNICODE
    assert opened == UNICODE
    assert run(page, "return page.checkPair(given.curve, given)", **given) is None
    assert len(base64.b64decode(made["keyId"])) == 64
    assert len(base64.b64decode(made["keySecret"])) == 32


@pytest.mark.parametrize("curve", CURVES)
def test_headers_are_read_by_python(page: Page, curve: str) -> None:
    python = plain_protocol.KeyPair(plain_protocol.CURVES[curve], 12345)
    made = run(page, "return page.newPair(given.curve)", curve=curve)
    given = {**made, "curve": curve, "peer": python.public, "license": "the license"}

    headers = run(page, f"{KEY} return page.headersFor(given, key, 'tests')", **given)

    assert headers.keys() == {"publickey", "licensekey", "requestid"}
    key = plain_protocol.shared_key(python, headers["publickey"])
    assert plain_protocol.unseal(key, headers["licensekey"]) == "the license"
    request = json.loads(plain_protocol.unseal(key, headers["requestid"]))
    assert request["appid"] == "tests"
    assert request.keys() == {"ts", "appid", "uuid"}


@pytest.mark.parametrize("curve", CURVES)
def test_every_envelope_of_a_json_value_is_opened_and_nothing_else(page: Page, curve: str) -> None:
    python = plain_protocol.KeyPair(plain_protocol.CURVES[curve], 99)
    other = plain_protocol.KeyPair(plain_protocol.CURVES[curve], 98)
    made = run(page, "return page.newPair(given.curve)", curve=curve)
    key = plain_protocol.shared_key(python, made["keyId"])
    foreign = plain_protocol.seal(plain_protocol.shared_key(other, made["keyId"]), "not for this key")
    value = {
        "a": [plain_protocol.seal(key, "one"), {"b": plain_protocol.seal(key, "")}],
        "publicKey": python.public,
        "foreign": foreign,
        "number": 5,
        "none": None,
        "text": "plain",
    }

    given = {**made, "curve": curve, "peer": python.public, "value": value}
    script = (
        f"{KEY} const seen = {{opened: 0}}; return [await page.openAll(key, given.value, seen), seen.opened]"
    )
    opened, count = run(page, script, **given)

    assert opened == {**value, "a": ["one", {"b": ""}]}
    assert count == 2


@pytest.mark.parametrize("text", ["{}", "[]", '{"a":[],"b":{}}', '[[1,2],{"c":"x{,[:\\""}]', "5", '"x"'])
def test_json_is_laid_out_as_python_does(page: Page, text: str) -> None:
    assert run(page, "return page.pretty(given.text)", text=text) == json.dumps(json.loads(text), indent=2)


def test_numbers_stay_as_they_were_written(page: Page) -> None:
    text = '{"a":1.0,"b":12345678901234567890,"c":1e400}'
    shown = run(page, "return page.pretty(given.text)", text=text)
    assert shown == '{\n  "a": 1.0,\n  "b": 12345678901234567890,\n  "c": 1e400\n}'
