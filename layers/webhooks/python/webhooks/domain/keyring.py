"""The service's own keys as lists with times: which is in use, which ones count beside it, and resets.

Each set is stored in one secret as JSON. A template-made secret has only a `seed`: the first keys are derived
from it, so they exist from deployment on and survive every update. A reset puts random keys beside the seed.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Any, Self

from signing import Curve, PrivateKey
from webhooks.domain.errors import ConflictError
from webhooks.domain.forms import KEY_PAIRS, MASTER, VERSION
from webhooks.domain.values import value_type

KNOWN = 30  # seconds after which the API's functions know a reset, as those that sign callbacks do by default
# Seconds that a key signs callbacks before /publickeys shows it: for the callbacks that are under way when it
# does (at most 5 s), and for clocks that differ. The key that is shown signs them too.
AHEAD = 10
MOST = 10  # keys of a set that count: each one in its grace is a signature (96 bytes) in every callback


def notice(signers: int) -> int:
    """Return the seconds from a reset to the new key's use: every instance knows the key by then.

    `signers`: seconds for which the functions that sign callbacks keep the keys that they read.
    """
    return signers + KNOWN


NOTICE = notice(KNOWN)


@value_type(frozen=True, slots=True)
class Key:
    """A pair with its times in epoch seconds. `since`: from when it is in use, None for not before a reset;
    `until`: the end of its grace, None while nothing replaces it; `request`: the reset that brought it up.
    """

    pair: PrivateKey
    since: int | None = 0
    until: int | None = None
    request: str | None = None

    def counts(self, now: float) -> bool:
        """Tell whether its grace goes on."""
        return self.until is None or now < self.until


@value_type(frozen=True, slots=True)
class KeyPairs:
    """One set of keys, newest first.

    In use is the newest key whose `since` has come: callers encrypt for it, /publickeys shows it. Signing
    keys have one more at the front, without `since`: in the JWKS, for the next reset to bring up.
    """

    seed: str = field(repr=False)
    keys: tuple[Key, ...]

    def __post_init__(self) -> None:
        if not self._brought_up:
            raise ValueError("a set of keys has at least one that is in use")

    @property
    def current(self) -> PrivateKey:
        """The pair that the last reset brought up, as GET /servicekeys shows it."""
        return self._brought_up[0].pair

    @property
    def upcoming(self) -> PrivateKey | None:
        """The pair that the next reset brings up, where that is known before."""
        return self.keys[0].pair if self.keys[0].since is None else None

    def in_use(self, now: float) -> PrivateKey:
        """Return the pair that is in use."""
        return self._in_use(now).pair

    def readable(self, now: float) -> tuple[PrivateKey, ...]:
        """Return the pairs whose envelopes count: the one in use, newer ones, those in their grace."""
        return self._in_use_first(now, self._brought_up)

    def signing(self, now: float) -> tuple[PrivateKey, ...]:
        """Return the pairs that sign callbacks: the one in use, and all beside it that /publickeys has shown
        within their grace or will show within `AHEAD` seconds.
        """
        begun = (each for each in self._brought_up if each.since is not None and each.since - AHEAD <= now)
        return self._in_use_first(now, begun)

    def published(self, now: float) -> tuple[PrivateKey, ...]:
        """Return the pairs of the JWKS: brought up last, to come, and those before in their grace."""
        newest, *earlier = self._brought_up
        upcoming = [each for each in self.keys if each.since is None]
        return tuple(each.pair for each in (newest, *upcoming, *earlier) if each.counts(now))

    def unchanged_until(self, now: float) -> float:
        """Return when `in_use` or `signing` next say something else than now."""
        times = (
            at
            for each in self._brought_up
            for at in ((each.since or 0) - AHEAD, each.since or 0, each.until or 0)
        )
        return min((at for at in times if at > now), default=math.inf)

    def made_by(self, request: str) -> PrivateKey | None:
        """Return the pair that this reset brought up before."""
        return next((each.pair for each in self.keys if each.request == request), None)

    def reset(self, fresh: PrivateKey, *, now: float, grace: int, request: str, after: int = NOTICE) -> Self:
        """Return the set after a reset: the upcoming or the fresh pair is in use `after` seconds (`notice`).

        The one that it replaces counts for `grace` seconds from then on; the ends of those before stay.
        Raises ConflictError where too many keys are in their grace.
        """
        newest, *earlier = self._brought_up
        since = max(int(now) + after, newest.since or 0)
        counting = [each for each in earlier if each.counts(now)]
        if len(counting) + 2 > MOST:
            ends = min(each.until for each in counting if each.until is not None)
            raise ConflictError(
                f"keyId: {MOST} keys of this kind count until their grace ends, which is the most; "
                f"the first of them ends in {math.ceil(ends - now)} seconds, reset again then"
            )
        brought_up = Key(self.upcoming or fresh, since=since, request=request)
        before = replace(newest, until=since + grace)
        upcoming = [Key(fresh, since=None)] if self.upcoming else []
        return replace(self, keys=(*upcoming, brought_up, before, *counting))

    @property
    def _brought_up(self) -> tuple[Key, ...]:
        return self.keys[1:] if self.keys and self.keys[0].since is None else self.keys

    def _in_use(self, now: float) -> Key:
        keys = self._brought_up
        return next((each for each in keys if each.since is not None and each.since <= now), keys[-1])

    def _in_use_first(self, now: float, keys: Iterable[Key]) -> tuple[PrivateKey, ...]:
        first = self._in_use(now)
        return (first.pair, *(each.pair for each in keys if each is not first and each.counts(now)))


def service_keys(state: Mapping[str, Any], curve: Curve) -> KeyPairs:
    """Read the service's key pairs from their secret. Raises NewerFormError."""
    return _read(state, curve) or KeyPairs(
        seed=state["seed"], keys=(Key(_derive(state["seed"], f"service key, {curve.value}", curve=curve)),)
    )


def signing_keys(state: Mapping[str, Any]) -> KeyPairs:
    """Read the signing keys (RFC 9421, always P-256) from their secret. Raises NewerFormError."""
    return _read(state, Curve.P256) or KeyPairs(
        seed=state["seed"],
        keys=(
            # The names of the derivation stay: others would give other keys.
            Key(_derive(state["seed"], "content key 1", curve=Curve.P256), since=None),
            Key(_derive(state["seed"], "content key 0", curve=Curve.P256)),
        ),
    )


def to_state(pairs: KeyPairs) -> dict[str, Any]:
    """Write the JSON that `service_keys` and `signing_keys` read."""
    return {
        "seed": pairs.seed,
        "curve": pairs.current.curve.value,
        "keys": [
            {"pair": key.pair.to_base64(), "since": key.since, "until": key.until, "request": key.request}
            for key in pairs.keys
        ],
    }


def master_secret(state: Mapping[str, Any]) -> bytes:
    """Read the master of the webhooks' own secrets from its secret. Raises NewerFormError."""
    MASTER.require_known(state.get(VERSION, 1))
    return str(state["seed"]).encode()


def _read(state: Mapping[str, Any], curve: Curve) -> KeyPairs | None:
    KEY_PAIRS.require_known(state.get(VERSION, 1))  # version 2 has none either: it has `keys`
    if state.get("curve") != curve.value:  # never reset, or reset before the deployment chose another curve
        return None
    keys = tuple(
        Key(
            PrivateKey.from_base64(key["pair"], curve),
            since=key["since"],
            until=key["until"],
            request=key["request"],
        )
        for key in (state["keys"] if "keys" in state else _keys_of_version_1(state))
    )
    return KeyPairs(seed=state["seed"], keys=keys)


def _keys_of_version_1(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read the form of releases before this list: the key in use, the one to come, one predecessor."""
    given = (
        {"pair": state["upcoming"], "since": None, "until": None, "request": None},
        {"pair": state["current"], "since": 0, "until": None, "request": state["resetRequest"]},
        {"pair": state["previous"], "since": 0, "until": state["previousUntil"], "request": None},
    )
    return [key for key in given if key["pair"]]


def _derive(seed: str, info: str, *, curve: Curve) -> PrivateKey:
    return PrivateKey.derive(seed.encode(), info.encode(), curve)
