"""However keys are reset: a callback carries a signature of each key that its receiver can have been shown."""

from collections.abc import Iterator
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from signing import Curve, PrivateKey
from webhooks.domain.errors import ConflictError
from webhooks.domain.keyring import AHEAD, KNOWN, MOST, Key, KeyPairs, notice, service_keys, signing_keys

START = 10_000
SEED = {"seed": "s" * 64}
# Seconds between resets, and the grace at each: a parameter may change between two.
RESETS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 400)), max_size=MOST + 3)
TIMES = st.integers(START - 10, START + 2000)
AFTER = st.integers(0, notice(KNOWN) + KNOWN) | st.integers(0, 2000)  # seconds from a reset
BACK = st.integers(-AHEAD, AHEAD) | st.integers(
    -AHEAD, 1000
)  # seconds from when a key is shown to the signature
STALE = st.integers(0, KNOWN)
# Seconds for which signers keep keys, and how old those of one of them are: the values of KeyCacheSeconds.
SIGNER = st.sampled_from([30, 300]).flatmap(lambda most: st.tuples(st.just(most), st.integers(0, most)))


def history(
    pairs: KeyPairs, resets: list[tuple[int, int]], *, signers: int = KNOWN
) -> list[tuple[int, KeyPairs]]:
    """The states of a set with the times from which they are stored; signers keep keys for `signers` seconds."""
    states, now = [(0, pairs)], START
    for number, (gap, grace) in enumerate(resets):
        now += gap
        fresh = PrivateKey.derive(f"{number}".encode() * 48, b"fresh", pairs.current.curve)
        with suppress(ConflictError):
            after = states[-1][1].reset(
                fresh, now=now, grace=grace, request=f"{number}", after=notice(signers)
            )
            states.append((now, after))
    return states


def known(states: list[tuple[int, KeyPairs]], now: int, *, stale: int) -> KeyPairs:
    """The state that an instance knows after it read the keys some seconds ago."""
    return [pairs for since, pairs in states if since <= now - stale][-1]


@settings(max_examples=500, deadline=None)
@given(resets=RESETS, reset=st.integers(0, 3), after=AFTER, back=BACK, signer=SIGNER, shower=STALE)
def test_every_instance_signs_with_each_key_within_its_grace(
    *, resets: list[tuple[int, int]], reset: int, after: int, back: int, signer: tuple[int, int], shower: int
) -> None:
    signers, age = signer
    states = history(service_keys(SEED, Curve.SECP256K1), resets, signers=signers)
    signed_at = max(START, states[min(reset, len(states) - 1)][0]) + after
    shown_at = signed_at - back
    shown = known(states, shown_at, stale=shower).in_use(shown_at)
    final = next(key for key in reversed_keys(states) if key.pair == shown)

    if final.until is None or signed_at < final.until:
        assert shown in known(states, signed_at, stale=age).signing(signed_at)


def reversed_keys(states: list[tuple[int, KeyPairs]]) -> Iterator[Key]:
    return (key for _, pairs in reversed(states) for key in pairs.keys)


@settings(max_examples=500, deadline=None)
@given(resets=RESETS, at=TIMES, used=TIMES, reader=STALE, shower=STALE)
def test_an_envelope_for_a_shown_key_is_read_until_its_grace_ends(
    resets: list[tuple[int, int]], at: int, used: int, reader: int, shower: int
) -> None:
    states = history(service_keys(SEED, Curve.SECP256K1), resets)
    shown = known(states, at, stale=shower).in_use(at)
    final = next(key for key in reversed_keys(states) if key.pair == shown)

    if used >= at and (final.until is None or used < final.until):
        assert shown in known(states, used, stale=reader).readable(used)


@settings(max_examples=500, deadline=None)
@given(resets=RESETS, signed_at=TIMES, signer=SIGNER, shower=STALE)
def test_a_signing_key_signs_only_once_every_instance_publishes_it(
    resets: list[tuple[int, int]], signed_at: int, signer: tuple[int, int], shower: int
) -> None:
    signers, age = signer
    states = history(signing_keys(SEED), resets, signers=signers)
    used = known(states, signed_at, stale=age).in_use(signed_at)

    for earlier in range(notice(signers) - KNOWN):
        at = signed_at - earlier
        assert used in known(states, at, stale=shower).published(at)


@settings(max_examples=500, deadline=None)
@given(resets=RESETS, at=TIMES)
def test_a_key_set_stays_small_and_its_keys_come_into_use_in_order(
    resets: list[tuple[int, int]], at: int
) -> None:
    states = history(service_keys(SEED, Curve.SECP256K1), resets)

    for _, pairs in states:
        since = [key.since for key in pairs.keys]
        assert since == sorted(since, key=lambda each: each or 0, reverse=True)
        assert len(pairs.keys) <= MOST
        assert [key.until for key in pairs.keys].count(None) == 1
        assert pairs.in_use(at) == pairs.signing(at)[0] == pairs.readable(at)[0]
