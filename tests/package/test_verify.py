"""The receivers' package: built as a wheel, installed alone, and used by each Python that is here."""

import json
from pathlib import Path

import pytest

from signing import encode_webhook_secret
from tests.package.installed import Installed, build_wheel, uv
from tests.signed_callbacks import BODY, JWKS, NOW, SECRET, callback_keys, sent

RECEIVER = """
import json, sys
from webhooks_verify import VerificationError, verify_callback

callback = json.load(sys.stdin)
body = callback.pop("body").encode()
verified = verify_callback(body=body, **callback)
try:
    verify_callback(body=body + b" ", **callback)
except VerificationError as error:
    print(json.dumps([verified, str(error)]))
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel("verify", tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def receiver(environment: Installed, wheel: Path) -> Installed:
    uv("pip", "install", "--python", environment.folder, "--constraints", "requirements/command.txt", wheel)
    return environment


def test_the_installed_package_verifies_a_callback_with_cryptography_alone(receiver: Installed) -> None:
    assert receiver.packages() <= {
        "webhooks_verify", "cffi", "cryptography", "pycparser", "typing_extensions"
    }  # fmt: skip
    callback = {
        "url": "https://example.com/hook?a=1",
        "headers": sent(),
        "body": BODY.decode(),
        "public_key": callback_keys().service.public_key.to_base64(),
        "secret": encode_webhook_secret(SECRET),
        "jwks": JWKS,
        "now": NOW,
    }

    ended = receiver("python", "-c", RECEIVER, stdin=json.dumps(callback))

    assert ended.stderr == ""
    assert json.loads(ended.stdout) == [
        ["es256k", "v1", "rfc9421"],
        "webhook-signature: no es256k signature of the service key holds",
    ]


def test_the_installed_package_has_types_and_its_license(receiver: Installed) -> None:
    (site,) = receiver.folder.glob("lib/python*/site-packages")
    assert {"py.typed", "LICENSE"} <= {path.name for path in (site / "webhooks_verify").iterdir()}
