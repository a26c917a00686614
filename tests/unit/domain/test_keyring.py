"""The service's keys exist from a seed on, survive, and change only by a reset."""

import json

from signing import Curve, PrivateKey
from webhooks.domain.keyring import content_keys, service_keys, to_state

STATE = {"seed": "s" * 64}
FRESH = PrivateKey.derive(b"f" * 48, b"fresh", Curve.SECP256K1)


def test_the_first_key_follows_from_the_seed_alone():
    assert service_keys(STATE, Curve.SECP256K1).current == service_keys(dict(STATE), Curve.SECP256K1).current
    other = service_keys({"seed": "t" * 64}, Curve.SECP256K1).current
    assert service_keys(STATE, Curve.SECP256K1).current != other


def test_a_reset_keeps_the_key_before_it_readable_for_its_grace():
    before = service_keys(STATE, Curve.SECP256K1)

    after = before.reset(FRESH, now=1000, grace=60, request="r")

    assert after.readable(1059) == (FRESH, before.current)
    assert after.readable(1060) == (FRESH,)


def test_pairs_read_back_as_they_were_written():
    after = service_keys(STATE, Curve.SECP256K1).reset(FRESH, now=1000, grace=60, request="r")

    assert service_keys(json.loads(json.dumps(to_state(after))), Curve.SECP256K1) == after


def test_a_content_key_is_shown_before_it_is_used():
    before = content_keys(STATE)
    fresh = PrivateKey.derive(b"f" * 48, b"fresh", Curve.P256)

    after = before.reset(fresh, now=1000, grace=60, request="r")

    assert (after.current, after.upcoming, after.previous) == (before.upcoming, fresh, before.current)


def test_another_curve_has_keys_of_its_own():
    state = to_state(service_keys(STATE, Curve.SECP256K1).reset(FRESH, now=1, grace=1, request="r"))

    assert service_keys(state, Curve.P256).current.curve is Curve.P256
    assert service_keys(state, Curve.P256).previous is None


def test_no_key_shows_in_a_repr():
    pairs = service_keys(STATE, Curve.SECP256K1)

    assert "ssss" not in repr(pairs)
    assert pairs.current.to_wire() not in repr(pairs)
