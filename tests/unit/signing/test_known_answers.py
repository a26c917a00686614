"""Vectors of the platform's Node library, read and written again, on both curves."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from signing import Curve, PrivateKey, PublicKey, seal, shared_key, unseal
from tests import plain_protocol

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "ecdsa.json").read_text())
CURVES = {curve.value: curve for curve in Curve}
vectors = pytest.mark.parametrize("vector", VECTORS, ids=[f"{v['curve']} {v['name']}" for v in VECTORS])


def private_key(vector: dict[str, Any], side: str) -> PrivateKey:
    return PrivateKey.from_base64(vector[side]["privateKey"], CURVES[vector["curve"]])


@vectors
@pytest.mark.parametrize("side", ["client", "server"])
def test_a_private_key_has_the_public_key_that_the_library_gave_it(vector: dict[str, Any], side: str) -> None:
    assert private_key(vector, side).public_key.to_base64() == vector[side]["publicKey"]


@vectors
@pytest.mark.parametrize("side", ["client", "server"])
def test_a_public_key_is_written_as_it_was_read(vector: dict[str, Any], side: str) -> None:
    text = vector[side]["publicKey"]
    assert PublicKey.from_base64(text, CURVES[vector["curve"]]).to_base64() == text


@vectors
def test_both_sides_share_the_key_that_the_library_computed(vector: dict[str, Any]) -> None:
    client, server = private_key(vector, "client"), private_key(vector, "server")
    expected = base64.b64decode(vector["sharedKey"])
    assert shared_key(client, server.public_key) == expected
    assert shared_key(server, client.public_key) == expected


@vectors
def test_envelopes_are_written_byte_for_byte_as_the_library_writes_them(vector: dict[str, Any]) -> None:
    key, iv = base64.b64decode(vector["sharedKey"]), bytes.fromhex(vector["iv_hex"])
    for pair in vector["enc"]:
        assert seal(key, pair["plain"], iv) == pair["cipher"]


@vectors
def test_envelopes_of_the_library_are_opened(vector: dict[str, Any]) -> None:
    key = base64.b64decode(vector["sharedKey"])
    for pair in vector["enc"]:
        assert unseal(key, pair["cipher"]) == pair["plain"]


@vectors
def test_the_plain_implementation_of_the_tests_gives_the_same_results(vector: dict[str, Any]) -> None:
    client = plain_protocol.read_key_pair(vector["client"]["privateKey"], vector["curve"])
    key = plain_protocol.shared_key(client, vector["server"]["publicKey"])
    assert client.public == vector["client"]["publicKey"]
    assert base64.b64encode(key).decode() == vector["sharedKey"]
    for pair in vector["enc"]:
        assert plain_protocol.unseal(key, pair["cipher"]) == pair["plain"]
        assert plain_protocol.seal(key, pair["plain"], bytes.fromhex(vector["iv_hex"])) == pair["cipher"]
