"""The example of the package's README, as it stands there."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import webhooks_cli
import webhooks_verify
from signing import CallbackKeys, encode_webhook_secret, sign_callback
from tests.signed_callbacks import KEY_ID, SIGNING, callback_keys

README = Path(__file__).parents[3] / "verify" / "README.md"
SECRET = bytes(range(32))


def example() -> Callable[[dict[str, str], bytes], tuple[int, str]]:
    names: dict[str, Any] = {}
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    exec(compile(code, README, "exec"), names)
    receive: Callable[[dict[str, str], bytes], tuple[int, str]] = names["receive"]
    return receive


def callback(body: bytes) -> dict[str, str]:
    return sign_callback(
        method="POST",
        url="https://shop.example.com/hooks/orders",
        content_type="application/json",
        body=body,
        delivery_id="dlv_1",
        timestamp=int(time.time()),
        keys=CallbackKeys(callback_keys().service, SIGNING, KEY_ID),
        webhook_secrets=[SECRET],
    )


def test_the_example_accepts_a_callback_and_refuses_a_changed_one() -> None:
    assert encode_webhook_secret(SECRET) in README.read_text()
    assert example()(callback(b"{}"), b"{}") == (200, "ok")
    assert example()(callback(b"{}"), b"{ }") == (
        401,
        "webhook-signature: no v1 signature of the webhook's secret holds",
    )
    assert example()({}, b"{}") == (401, "the header webhook-timestamp is missing")


def test_the_package_has_the_version_of_the_command() -> None:
    assert webhooks_verify.__version__ == webhooks_cli.__version__


def test_the_readme_names_all_that_the_package_offers() -> None:
    for name in webhooks_verify.__all__:
        if name != "TOLERANCE_SECONDS":
            assert name in README.read_text()
