"""The service's own keys: which is in use, which one before it is still read, and what a reset makes of them.

Each set lives in one secret as JSON. A template-made secret has only a `seed`: the first keys are derived
from it, so they exist from deployment on and survive every update. A reset puts random keys beside the seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from signing import Curve, PrivateKey


@dataclass(frozen=True, slots=True)
class KeyPairs:
    """A key in use and its predecessor; times in epoch seconds.

    `upcoming` is shown before it is used (callback content keys only). `reset_request` names the request
    that made `current`: its exact repeat gets the same answer.
    """

    seed: str = field(repr=False)
    current: PrivateKey
    upcoming: PrivateKey | None = None
    previous: PrivateKey | None = None
    previous_until: int = 0
    reset_request: str | None = None

    def readable(self, now: float) -> tuple[PrivateKey, ...]:
        """Return the keys whose envelopes count: the one in use, and its predecessor in its grace."""
        if self.previous is not None and now < self.previous_until:
            return (self.current, self.previous)
        return (self.current,)

    def reset(self, fresh: PrivateKey, *, now: float, grace: int, request: str) -> Self:
        """Return the pairs after a reset: the upcoming or the fresh key takes the place of the one in use."""
        return replace(
            self,
            current=self.upcoming or fresh,
            upcoming=fresh if self.upcoming else None,
            previous=self.current,
            previous_until=int(now) + grace,
            reset_request=request,
        )


def service_keys(state: Mapping[str, Any], curve: Curve) -> KeyPairs:
    """Read the service's key pairs from their secret."""
    return _read(state, curve) or KeyPairs(
        seed=state["seed"], current=_derive(state["seed"], f"service key, {curve.value}", curve=curve)
    )


def content_keys(state: Mapping[str, Any]) -> KeyPairs:
    """Read the pairs that sign callbacks' content (RFC 9421, always P-256) from their secret."""
    return _read(state, Curve.P256) or KeyPairs(
        seed=state["seed"],
        current=_derive(state["seed"], "content key 0", curve=Curve.P256),
        upcoming=_derive(state["seed"], "content key 1", curve=Curve.P256),
    )


def to_state(pairs: KeyPairs) -> dict[str, Any]:
    """Write what `service_keys` and `content_keys` read."""
    return {
        "seed": pairs.seed,
        "curve": pairs.current.curve.value,
        "current": pairs.current.to_wire(),
        "upcoming": pairs.upcoming and pairs.upcoming.to_wire(),
        "previous": pairs.previous and pairs.previous.to_wire(),
        "previousUntil": pairs.previous_until,
        "resetRequest": pairs.reset_request,
    }


def master_secret(state: Mapping[str, Any]) -> bytes:
    """Read the master of the webhooks' own secrets from its secret."""
    return str(state["seed"]).encode()


def _read(state: Mapping[str, Any], curve: Curve) -> KeyPairs | None:
    if state.get("curve") != curve.value:  # never reset, or reset before the deployment chose another curve
        return None

    def key(name: str) -> PrivateKey | None:
        return PrivateKey.from_wire(state[name], curve) if state.get(name) else None

    return KeyPairs(
        seed=state["seed"],
        current=PrivateKey.from_wire(state["current"], curve),
        upcoming=key("upcoming"),
        previous=key("previous"),
        previous_until=state["previousUntil"],
        reset_request=state["resetRequest"],
    )


def _derive(seed: str, info: str, *, curve: Curve) -> PrivateKey:
    return PrivateKey.derive(seed.encode(), info.encode(), curve)
