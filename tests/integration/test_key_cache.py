"""For how long the dispatcher keeps the keys that sign, as it is composed; and how long a reset waits for it."""

import json
from collections import Counter

import pytest

from tests.aws_stub.responses import stub_aws
from tests.lambda_functions import ACCOUNT, ENVIRONMENT
from webhooks.bootstrap import dispatcher, keys, service_keys
from webhooks.settings import DispatcherSettings, ServiceKeysSettings

HOUR = 3600
START = 1_790_000_000.0


class Secrets:
    """Secrets of seeds, or of what was put last; `now` is the functions' clock."""

    def __init__(self) -> None:
        self.now = START
        self.calls: Counter[str] = Counter()
        self.text = json.dumps({"seed": "s" * 64})
        self.version = 0

    def __call__(self, operation: str, body: bytes) -> bytes:
        self.calls[operation] += 1
        if operation == "PutSecretValue":
            self.text = json.loads(body)["SecretString"]
            self.version += 1
        found = {"Name": "n", "VersionId": f"{self.version}", "SecretString": self.text}
        return json.dumps(found).encode()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    made = Secrets()
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)
    for module in (keys, dispatcher, service_keys):
        monkeypatch.setattr(module, "clock", lambda: made.now)
    return made


@pytest.mark.parametrize(("kept", "reads"), [(30, 2 * 120 + 12), (300, 2 * 12 + 12)])
def test_a_busy_dispatcher_reads_its_secrets_so_often_in_an_hour(
    secrets: Secrets, kept: int, reads: int
) -> None:
    """Each read is a request of Secrets Manager, and one of KMS where the stack has a key of its own."""
    app = dispatcher.compose(DispatcherSettings.load(ENVIRONMENT | {"KEY_CACHE_SECONDS": str(kept)}))
    stub_aws(app.aws, secrets)
    for _ in range(HOUR):
        app.signer.refresh()
        secrets.now += 1
    assert secrets.calls == {"GetSecretValue": reads}


@pytest.mark.parametrize(("kept", "reads"), [(30, 120), (300, 12)])
def test_a_busy_dispatcher_reads_one_secret_for_all_its_keys(secrets: Secrets, kept: int, reads: int) -> None:
    secrets.text = json.dumps({"parts": {}, "seed": "s" * 64})
    names = dict.fromkeys(("SERVICE_KEYS_SECRET", "SIGNING_KEYS_SECRET", "WEBHOOK_MASTER_SECRET"), "seeds")
    environment = ENVIRONMENT | names | {"KEY_CACHE_SECONDS": str(kept)}
    app = dispatcher.compose(DispatcherSettings.load(environment))
    stub_aws(app.aws, secrets)
    for _ in range(HOUR):
        app.signer.refresh()
        secrets.now += 1
    assert secrets.calls == {"GetSecretValue": reads}


@pytest.mark.parametrize("kept", [30, 300])
def test_a_reset_key_is_in_use_after_every_dispatcher_has_read_it(secrets: Secrets, kept: int) -> None:
    environment = ENVIRONMENT | {"KEY_CACHE_SECONDS": str(kept)}
    signer = dispatcher.compose(DispatcherSettings.load(environment))
    reset = service_keys.compose(ServiceKeysSettings.load(environment))
    for app in (signer, reset):
        stub_aws(app.aws, secrets)
    signer.signer.refresh()  # right before the reset: it knows the new key last of all
    key = reset.service_keys.list()[0].pair.public_key.to_base64()

    fresh = reset.service_keys.reset(key, idempotency_key="a").pair

    known, used = [], []
    for second in range(kept + 40):
        secrets.now = START + second
        pairs = signer.signer.refresh().service
        known += [second] if fresh in pairs.readable(secrets.now) else []
        used += [second] if fresh == pairs.in_use(secrets.now) else []
    assert (known[0], used[0]) == (kept, kept + 30)
