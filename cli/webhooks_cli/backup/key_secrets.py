"""The template's secrets: the service's keys, the signing keys, the master of the webhooks' secrets.

Each has a seed, and keys once they were reset. Two states with one seed are of one deployment: the one with
the later reset is the newer. With SeedSecrets=One the three are parts of one secret: a part holds what a
secret of its own would, and is the secret's seed while it has none.
"""

import json
from hashlib import sha256
from typing import Any

from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.resources import SECRETS, Resources
from webhooks_cli.errors import UnreachableError, WrongUseError

TITLES = {
    "serviceKeysSecret": "service keys",
    "signingKeysSecret": "signing keys",
    "webhookMasterSecret": "master of the webhooks' secrets",
}
PARTS = "parts"
PART_OF = {"serviceKeysSecret": "service", "signingKeysSecret": "signing", "webhookMasterSecret": "master"}
WRITES = 3  # of a secret with parts: a reset may change another part meanwhile


class KeySecrets:
    """The secrets of a deployment that is written."""

    def __init__(self, account: Account, resources: Resources, calls: Calls) -> None:
        self._secrets = account.secrets
        self._names = {name: resources.names[name] for name in SECRETS}
        self._calls = calls

    def read(self, name: str) -> str:
        """Return the state of some keys, as a secret of their own has it."""
        return _part(name, str(self._stored(name)["SecretString"]))

    def is_of_another(self, name: str, saved: str) -> bool:
        """Tell whether the target's keys are another deployment's in use: reset, with another seed."""
        present = state(self.read(name))
        return present["seed"] != state(saved)["seed"] and _latest_reset(present) >= 0

    def write(self, name: str, saved: str) -> bool:
        """Store the saved state, unless the target's is the same or newer; tell whether it was stored."""
        for _ in range(WRITES):
            stored = self._stored(name)
            present = str(stored["SecretString"])
            if not is_newer(saved, _part(name, present)):
                return False
            if self._put(name, saved, whole=state(present), version=stored["VersionId"]):
                return True
        raise UnreachableError(f"the {TITLES[name]} changed meanwhile; run the command again")

    def _put(self, name: str, saved: str, *, whole: "dict[str, Any]", version: str) -> bool:
        """Store a state; tell whether no other writer of the same secret was faster."""
        more, text = {}, saved
        if PARTS in whole:
            # Of two writers of one version Secrets Manager refuses the second, as it does for a reset.
            more = {"ClientRequestToken": sha256(version.encode()).hexdigest()}
            text = json.dumps({**whole, PARTS: {**whole[PARTS], PART_OF[name]: state(saved)}})
        done = self._calls.call(
            "secretsmanager PutSecretValue",
            self._secrets.put_secret_value,
            ("ResourceExistsException",),
            SecretId=self._names[name],
            SecretString=text,
            **more,
        )
        return done is not None

    def _stored(self, name: str) -> Any:
        return self._calls.call(
            "secretsmanager GetSecretValue", self._secrets.get_secret_value, SecretId=self._names[name]
        )


def _part(name: str, text: str) -> str:
    whole = state(text)
    if PARTS not in whole:
        return text
    return json.dumps({PART_OF[name]: {"seed": whole["seed"]}, **whole[PARTS]}[PART_OF[name]])


def is_newer(saved: str, present: str) -> bool:
    """Tell whether a saved state replaces the present one."""
    one, other = state(saved), state(present)
    if one["seed"] != other["seed"]:
        return True
    return _latest_reset(one) > _latest_reset(other)


def state(text: str) -> dict[str, Any]:
    """Read a secret's JSON. Raises WrongUseError, and never quotes it."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("seed"), str):
        raise WrongUseError("a secret of the service's keys holds no seed: it is none of this service's")
    return found


def _latest_reset(state_: dict[str, Any]) -> int:
    """Return when the newest key came into use; -1 for keys that were never reset."""
    if "keys" in state_:
        return max((int(key["since"] or 0) for key in state_["keys"]), default=0)
    return 0 if "current" in state_ else -1
