"""The service's keys exist from a seed on, survive, and change only by a reset, each with times of its own."""

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest

from signing import Curve, PrivateKey
from webhooks.domain.errors import ConflictError
from webhooks.domain.keyring import AHEAD, MOST, NOTICE, Key, KeyPairs, service_keys, signing_keys, to_state

STATE = {"seed": "s" * 64}
GRACE = 600
LARGEST_SECRET = 65_536  # bytes, as Secrets Manager documents it


def fresh(name: str, curve: Curve = Curve.SECP256K1) -> PrivateKey:
    return PrivateKey.derive(name.encode() * 48, b"fresh", curve)


A, B, C = (fresh(name) for name in "abc")


def reset(
    pairs: KeyPairs, pair: PrivateKey, *, now: int = 1000, grace: int = GRACE, request: str = "r"
) -> KeyPairs:
    return pairs.reset(pair, now=now, grace=grace, request=request)


def rings() -> list[KeyPairs]:
    return [service_keys(STATE, Curve.SECP256K1), signing_keys(STATE)]


def test_the_first_key_follows_from_the_seed_alone() -> None:
    assert service_keys(STATE, Curve.SECP256K1).current == service_keys(dict(STATE), Curve.SECP256K1).current
    other = service_keys({"seed": "t" * 64}, Curve.SECP256K1).current
    assert service_keys(STATE, Curve.SECP256K1).current != other


def test_a_reset_key_is_used_after_a_minute_and_the_one_before_in_its_grace() -> None:
    before = service_keys(STATE, Curve.SECP256K1)
    old = before.current

    after = reset(before, A)

    assert after.current == A, "the reset answers it at once"
    assert [after.in_use(now) for now in (1000, 1059.9, 1060, 9e9)] == [old, old, A, A]
    assert after.readable(1000) == (old, A), "envelopes for a key that the reset's response showed are read"
    assert after.readable(1659.9) == (A, old)
    assert after.readable(1660) == (A,)


def test_callbacks_are_signed_by_the_current_key_first_and_by_all_shown_ones() -> None:
    before = service_keys(STATE, Curve.SECP256K1)
    after = reset(before, A)

    assert before.signing(1000) == (before.current,)
    assert after.signing(1000) == after.signing(1060 - AHEAD - 0.1) == (before.current,)
    assert after.signing(1060 - AHEAD) == after.signing(1059.9) == (before.current, A)
    assert after.signing(1060) == after.signing(1659.9) == (A, before.current)
    assert after.signing(1660) == (A,)


def test_each_earlier_key_keeps_the_end_of_its_own_grace() -> None:
    before = service_keys(STATE, Curve.SECP256K1)
    after = reset(before, A, now=1000)
    for number in range(5):
        after = reset(after, fresh(str(number)), now=1100 + number)

    assert before.current in after.signing(1659)
    assert before.current not in after.signing(1660)
    assert A in after.readable(1160 + GRACE - 1)
    assert A not in after.readable(1160 + GRACE)
    assert after.readable(9e9) == (fresh("4"),)


def test_a_shorter_grace_of_a_later_reset_ends_no_earlier_one() -> None:
    before = service_keys(STATE, Curve.SECP256K1)
    after = reset(reset(before, A, now=1000, grace=GRACE), B, now=1001, grace=0)

    assert before.current in after.readable(1659)
    assert A not in after.readable(1061)


def test_two_resets_within_a_minute_are_in_use_one_after_the_other() -> None:
    before = service_keys(STATE, Curve.SECP256K1)
    after = reset(reset(before, A, now=1000), B, now=1005)

    assert [after.in_use(now) for now in (1059, 1060, 1064, 1065)] == [before.current, A, A, B]


def test_a_clock_that_goes_back_puts_no_key_before_the_one_it_replaces() -> None:
    before = service_keys(STATE, Curve.SECP256K1)
    after = reset(reset(before, A, now=1000), B, now=400)

    assert [after.in_use(now) for now in (1059, 1060)] == [before.current, B]
    assert A in after.readable(1060 + GRACE - 1)


@pytest.mark.parametrize("pairs", rings())
def test_the_keys_change_only_at_the_named_times(pairs: KeyPairs) -> None:
    curve = pairs.current.curve
    pairs = reset(reset(pairs, fresh("a", curve), now=1000), fresh("b", curve), now=1005)
    now = 900.0
    named = []
    while (until := pairs.unchanged_until(now)) != math.inf:
        for at in (now, (now + until) / 2, until - 0.01):
            assert pairs.signing(at) == pairs.signing(now)
            assert pairs.in_use(at) == pairs.in_use(now)
        named.append(until)
        now = until
    assert named == [1050, 1055, 1060, 1065, 1660, 1665]
    assert pairs.signing(now) == (pairs.current,)


def test_keys_whose_grace_is_over_leave_with_the_next_reset() -> None:
    after = reset(reset(service_keys(STATE, Curve.SECP256K1), A, now=1000), B, now=9000)
    assert [key.pair for key in reset(after, C, now=9001).keys] == [C, B, A]


@pytest.mark.parametrize("pairs", rings())
def test_a_loop_of_resets_is_refused_before_a_key_is_lost(pairs: KeyPairs) -> None:
    curve, first = pairs.current.curve, pairs.current
    for number in range(MOST - 1):
        pairs = reset(pairs, fresh(f"{number}", curve), now=1000 + number, request="f" * 64)

    sentence = (
        re.escape(f"keyId: {MOST} keys of this kind count") + ".* ends in 560 seconds, reset again then"
    )
    with pytest.raises(ConflictError, match=sentence):
        reset(pairs, fresh("more", curve), now=1100)

    assert first in pairs.readable(1659)
    assert len(json.dumps(to_state(pairs))) < LARGEST_SECRET // 10
    assert reset(pairs, fresh("more", curve), now=1660).current not in pairs.readable(1660)


def test_the_repeat_of_a_reset_is_known_after_any_number_of_resets() -> None:
    after = reset(service_keys(STATE, Curve.SECP256K1), A, request="first")
    after = reset(after, B, now=1001, request="second")

    assert (after.made_by("first"), after.made_by("second"), after.made_by("third")) == (A, B, None)


@pytest.mark.parametrize("pairs", rings())
def test_pairs_read_back_as_they_were_written(pairs: KeyPairs) -> None:
    curve = pairs.current.curve
    after = reset(reset(pairs, fresh("a", curve)), fresh("b", curve))
    state = json.loads(json.dumps(to_state(after)))

    assert (signing_keys(state) if pairs.upcoming else service_keys(state, curve)) == after


# The form of releases before the list of keys.


def version_1(**changes: Any) -> dict[str, Any]:
    curve = changes.pop("curve", Curve.SECP256K1)
    keys = {name: pair and pair.to_base64() for name, pair in changes.items()}
    return {
        "seed": "s" * 64,
        "curve": curve.value,
        **keys,
        "previousUntil": 1600 if changes["previous"] else 0,
        "resetRequest": "r",
    }


def test_service_keys_reset_by_an_earlier_release_stay_in_use() -> None:
    state = version_1(current=B, upcoming=None, previous=A)
    pairs = service_keys(state, Curve.SECP256K1)

    assert (pairs.current, pairs.in_use(1000), pairs.upcoming) == (B, B, None)
    assert pairs.signing(1599) == pairs.readable(1599) == (B, A)
    assert pairs.signing(1600) == (B,)
    assert pairs.made_by("r") == B
    after = reset(pairs, C, now=1500)
    assert after.readable(1599) == (C, B, A)
    assert service_keys(json.loads(json.dumps(to_state(after))), Curve.SECP256K1) == after


def test_signing_keys_reset_by_an_earlier_release_stay_in_use() -> None:
    a, b, c = (fresh(name, Curve.P256) for name in "abc")
    pairs = signing_keys(version_1(curve=Curve.P256, current=b, upcoming=c, previous=a))

    assert (pairs.current, pairs.in_use(1000), pairs.upcoming) == (b, b, c)
    assert pairs.published(1599) == (b, c, a)
    assert pairs.published(1600) == (b, c)
    assert reset(pairs, fresh("d", Curve.P256), now=1500).current == c


# The signing keys.


def test_a_signing_key_is_published_before_it_signs_and_until_its_grace_ends() -> None:
    before = signing_keys(STATE)
    d = fresh("d", Curve.P256)

    after = reset(before, d)

    assert (after.current, after.upcoming) == (before.upcoming, d)
    assert [after.in_use(now) for now in (1059, 1060)] == [before.current, before.upcoming]
    assert after.published(1000) == after.published(1659) == (before.upcoming, d, before.current)
    assert after.published(1660) == (before.upcoming, d)


def test_a_second_reset_uses_a_signing_key_only_after_a_minute_in_the_jwks() -> None:
    before = signing_keys(STATE)
    d, e = fresh("d", Curve.P256), fresh("e", Curve.P256)
    after = reset(reset(before, d, now=1000), e, now=1001)

    assert [after.in_use(now) for now in (1059, 1060, 1061)] == [before.current, before.upcoming, d]
    assert NOTICE <= 1061 - 1000, "the second one signs that long after the first reset published its key"
    assert set(after.published(1659)) == {before.current, before.upcoming, d, e}
    assert set(after.published(1660)) == {before.upcoming, d, e}


def test_another_curve_has_keys_of_its_own() -> None:
    state = to_state(reset(service_keys(STATE, Curve.SECP256K1), A))

    assert service_keys(state, Curve.P256).current.curve is Curve.P256
    assert len(service_keys(state, Curve.P256).keys) == 1


def test_no_key_shows_in_a_repr() -> None:
    pairs = service_keys(STATE, Curve.SECP256K1)

    assert "ssss" not in repr(pairs)
    assert pairs.current.to_base64() not in repr(pairs)


def test_a_set_of_one_key_is_that_key_at_any_time() -> None:
    pairs = KeyPairs(seed="", keys=(Key(A),))
    late = replace(pairs, keys=(Key(A, since=2000),))

    assert pairs.in_use(0) == late.in_use(0) == A
    assert pairs.unchanged_until(0) == math.inf
