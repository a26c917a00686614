"""The ECDSA helper: the platform's known results both ways, and invalid keys and texts."""

import json
from pathlib import Path
from typing import Any

import pytest

from signing import Curve
from tests import plain_protocol
from tests.factories import ApiResponse, InMemoryApp, api_event, function, read_response
from tests.random_bytes import DistinctBytes
from webhooks.services.ecdsa_helper import EcdsaHelper

OURS, THEIRS = (
    plain_protocol.KeyPair(plain_protocol.SECP256K1, 7),
    plain_protocol.KeyPair(plain_protocol.SECP256K1, 9),
)
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "ecdsa.json").read_text())
CURVES = {curve.value: curve for curve in Curve}


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def convert(app: InMemoryApp, way: str, **body: Any) -> ApiResponse:
    return app.call("POST", f"/ecdsa_helper{way}", body, by=None)


@pytest.mark.parametrize("way", ["", "/encrypt"])
@pytest.mark.parametrize("text", ["Hey, This is example data string.", "", "ü 漢 🎉", "x" * 40_000])
def test_encrypted_data_is_decrypted_by_the_other_side(app: InMemoryApp, way: str, text: str) -> None:
    sent = convert(app, way, data=text, publicKey=THEIRS.public, privateKey=OURS.private)
    assert sent.status == 200
    assert list(sent.json) == ["data", "publicKey"]
    assert sent.json["publicKey"] == OURS.public
    assert plain_protocol.unseal(plain_protocol.shared_key(THEIRS, OURS.public), sent.json["data"]) == text
    received = convert(
        app, "/decrypt", data=sent.json["data"], publicKey=OURS.public, privateKey=THEIRS.private
    )
    assert received.json == {"data": text, "publicKey": THEIRS.public}


def test_absent_data_is_the_empty_text_and_data_str_is_an_alias(app: InMemoryApp) -> None:
    keys = {"publicKey": THEIRS.public, "privateKey": OURS.private}
    key = plain_protocol.shared_key(OURS, THEIRS.public)
    for body, text in (
        ({}, ""),
        ({"data": None}, ""),
        ({"dataStr": "x"}, "x"),
        ({"data": "y", "dataStr": "y"}, "y"),
    ):
        response = convert(app, "", **keys, **body)
        assert plain_protocol.unseal(key, response.json["data"]) == text
    assert convert(app, "", **keys, data="a", dataStr="b").message.startswith("dataStr: ")


@pytest.mark.parametrize("way", ["/Encrypt", "/sign", "/ENCRYPT", "/encryptt"])
def test_an_unknown_direction_is_refused(app: InMemoryApp, way: str) -> None:
    response = convert(app, way, data="x", publicKey=THEIRS.public, privateKey=OURS.private)
    assert (response.status, response.message) == (400, "method: must be encrypt or decrypt")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"publicKey": None}, ["publicKey"]),
        ({"publicKey": "x", "privateKey": "y"}, ["publicKey", "privateKey"]),
        ({"publicKey": OURS.private}, ["publicKey"]),
        ({"privateKey": OURS.public}, ["privateKey"]),
        ({"privateKey": "AA=="}, ["privateKey"]),
        ({"privateKey": 7}, ["privateKey"]),
        ({"publicKey": THEIRS.public.replace("=", "")}, ["publicKey"]),
        ({"data": 7}, ["data"]),
        ({"data": "\ud800"}, ["data"]),
        ({"more": 7}, ["more"]),
    ],
)
def test_an_invalid_field_is_named_and_never_quoted(
    app: InMemoryApp, changes: dict[str, Any], named: list[str]
) -> None:
    body = {"data": "x", "publicKey": THEIRS.public, "privateKey": OURS.private} | changes
    response = convert(app, "/encrypt", **body)
    assert response.status == 400
    assert [problem.split(":")[0] for problem in response.message.split("; ")] == named
    assert OURS.private not in response.message


@pytest.mark.parametrize("data", ["", "x", "AAAA", THEIRS.public, "\ud800", "ü"])
def test_an_envelope_for_other_keys_cannot_be_decrypted(app: InMemoryApp, data: str) -> None:
    response = convert(app, "/decrypt", data=data, publicKey=THEIRS.public, privateKey=OURS.private)
    assert response.status == 400
    assert response.message.startswith("data: ")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['curve']} {vector['name']}")
def test_the_platforms_known_answers_hold_both_ways(vector: dict[str, Any]) -> None:
    iv = bytes.fromhex(vector["iv_hex"])
    api = function("ecdsa_helper").routes(EcdsaHelper(CURVES[vector["curve"]], random_bytes=lambda _: iv))

    def ask(way: str, data: str, own: dict[str, str], peer: dict[str, str]) -> ApiResponse:
        body = {"data": data, "publicKey": peer["publicKey"], "privateKey": own["privateKey"]}
        return read_response(
            api.handle(api_event("POST", f"/ecdsa_helper/{way}", body=json.dumps(body)), None)
        )

    for known in vector["enc"]:
        assert (
            ask("encrypt", known["plain"], vector["client"], vector["server"]).json["data"] == known["cipher"]
        )
        assert (
            ask("decrypt", known["cipher"], vector["server"], vector["client"]).json["data"] == known["plain"]
        )


def test_the_other_curve_works_the_same() -> None:
    curve = plain_protocol.PRIME256V1
    one, two = plain_protocol.KeyPair(curve, 11), plain_protocol.KeyPair(curve, 13)
    api = function("ecdsa_helper").routes(EcdsaHelper(Curve.P256, random_bytes=DistinctBytes()))
    body = {"data": "x", "publicKey": two.public, "privateKey": one.private}
    response = read_response(api.handle(api_event("POST", "/ecdsa_helper", body=json.dumps(body)), None))
    assert plain_protocol.unseal(plain_protocol.shared_key(two, one.public), response.json["data"]) == "x"
