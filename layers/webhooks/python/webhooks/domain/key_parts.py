"""One secret for the service's keys, the signing keys and the master: each has a part of it (decision 37).

A part has the state of a secret of its own. While it is missing, it is the secret's seed: each use derives
with a label of its own, so the keys of one use tell nothing of those of another.
"""

from collections.abc import Mapping
from typing import Any, Final

from webhooks.domain.forms import KEY_PARTS, VERSION

SERVICE_PART: Final = "service"
SIGNING_PART: Final = "signing"
MASTER_PART: Final = "master"
PARTS: Final = "parts"

type State = Mapping[str, Any]


def is_shared(state: State) -> bool:
    """Tell whether a secret has parts, as the template makes it with SeedSecrets=One."""
    return PARTS in state


def part_of(state: State, part: str) -> State:
    """Return the state that a secret of its own would have.

    Raises NewerFormError, and KeyError where there is no seed.
    """
    if not is_shared(state):
        return state
    KEY_PARTS.require_known(state.get(VERSION, 1))
    found: State = {part: {"seed": state["seed"]}, **state[PARTS]}[part]
    return found


def with_part(state: State, part: str, value: State) -> State:
    """Return the secret's state with another value of one part; the other parts stay."""
    if not is_shared(state):
        return value
    return {**state, PARTS: {**state[PARTS], part: value}}
