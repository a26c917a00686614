"""The command's writes of keys that are parts of one secret (SeedSecrets=One), while a function resets others."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pytest

from tests.aws_stub.faulty_clients import FaultyClients, fail
from tests.contract.backends import Backend, backend_named
from webhooks.adapters.secrets_manager.key_store import SecretKeyStore
from webhooks.domain.key_parts import SIGNING_PART
from webhooks.domain.keyring import KeyPairs, signing_keys
from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.key_secrets import KeySecrets
from webhooks_cli.backup.resources import SECRETS, Resources
from webhooks_cli.errors import CliError

SAVED = json.dumps({"seed": "saved", "keys": [{"pair": "p", "since": 5, "until": None}]})


class Seeds:
    """One secret for all keys, the command over it, and a function that resets the signing key."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.name = backend.secret("seeds", json.dumps({"parts": {}, "seed": "s" * 64}))
        self.signing = SecretKeyStore(
            backend.clients, self.name, parse=signing_keys, part=SIGNING_PART, clock=backend.clock
        )

    def command(self, **faults: Any) -> KeySecrets:
        account = cast("Account", FaultyClients(self.backend.clients, **faults))
        resources = Resources(dict.fromkeys(SECRETS, self.name), {})
        return KeySecrets(account, resources, Calls(1, sleep=lambda _: None))

    def reset(self) -> KeyPairs:
        pairs = self.signing.read_now()
        after = pairs.reset(pairs.current, now=0, grace=60, request=f"reset {len(pairs.keys)}")
        self.signing.replace(pairs, after)
        return after

    @property
    def state(self) -> Any:
        found = self.backend.clients.secrets.get_secret_value(SecretId=self.name)
        return json.loads(found["SecretString"])


@pytest.fixture
def seeds() -> Iterator[Seeds]:
    with backend_named("moto") as backend:
        yield Seeds(backend)


def test_a_part_that_is_written_leaves_the_others(seeds: Seeds) -> None:
    keys = seeds.command()
    assert keys.write("serviceKeysSecret", SAVED)
    assert keys.write("webhookMasterSecret", json.dumps({"seed": "m"}))
    assert seeds.state == {"parts": {"service": json.loads(SAVED), "master": {"seed": "m"}}, "seed": "s" * 64}
    assert keys.read("serviceKeysSecret") == SAVED
    assert json.loads(keys.read("signingKeysSecret")) == {"seed": "s" * 64}
    assert not keys.write("serviceKeysSecret", SAVED), "the same state is kept"


def test_a_reset_of_another_part_in_between_is_not_lost(seeds: Seeds) -> None:
    made = []

    def reset_first(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        made.append(seeds.reset())
        return real(**request)

    assert seeds.command(put_secret_value=[reset_first]).write("serviceKeysSecret", SAVED)

    assert seeds.signing.read_now() == made[0]
    assert seeds.state["parts"]["service"] == json.loads(SAVED)


def test_a_secret_that_changes_all_the_time_is_named(seeds: Seeds) -> None:
    def taken(_real: Callable[..., Any], _request: Mapping[str, Any]) -> Any:
        return fail("ResourceExistsException")(_real, _request)

    with pytest.raises(CliError, match="the service keys changed meanwhile; run the command again"):
        seeds.command(put_secret_value=[taken] * 3).write("serviceKeysSecret", SAVED)
    assert seeds.state["parts"] == {}
