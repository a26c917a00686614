from collections.abc import Callable

import pytest

from signing import CallbackKeys, Curve, PrivateKey, encode_webhook_secret, jwk, sign_callback, thumbprint
from tests.unit.cli.command_line import NOW, CommandLine, CommandResult

URL = "https://shop.example.com/callbacks?a=1"
BODY = b'{"id":"e1"}'
SECRET = bytes(range(32))
SERVICE = PrivateKey.derive(bytes(16), b"service", Curve.SECP256K1)
SIGNING = PrivateKey.derive(bytes(16), b"signing", Curve.P256)
KEY_ID = thumbprint(SIGNING.public_key)
JWKS = {"keys": [jwk(SIGNING.public_key, KEY_ID)]}
HEADERS = {
    "Content-Type": "application/json",
    **sign_callback(
        method="POST",
        url=URL,
        content_type="application/json",
        body=BODY,
        delivery_id="d1",
        timestamp=NOW - 10,
        keys=CallbackKeys(SERVICE, SIGNING, KEY_ID),
        webhook_secrets=[SECRET],
    ),
}
WHSEC, PUBLIC = encode_webhook_secret(SECRET), SERVICE.public_key.to_base64()
KEYS = ("--secret", WHSEC, "--public-key", PUBLIC, "--jwks", "jwks.json")


@pytest.fixture
def verify(webhooks: CommandLine) -> Callable[..., CommandResult]:
    webhooks.write("headers.json", HEADERS)
    webhooks.write("headers.txt", "\n".join(f"{name}: {value}" for name, value in HEADERS.items()))
    webhooks.write("body.json", BODY.decode())
    webhooks.write("jwks.json", JWKS)

    def run(
        *argv: object,
        url: str = URL,
        headers: str = "headers.json",
        body: str = "body.json",
        stdin: bytes = b"",
    ) -> CommandResult:
        return webhooks("verify", "--url", url, "--headers", headers, "--body", body, *argv, stdin=stdin)

    return run


@pytest.mark.parametrize("headers", ["headers.json", "headers.txt"])
def test_a_callback_verifies_with_every_key_that_is_given(
    verify: Callable[..., CommandResult], headers: str
) -> None:
    ended = verify(*KEYS, "--json", headers=headers)
    assert ended.code == 0
    assert ended.document == {"ok": True, "verified": ["es256k", "v1", "rfc9421"], "failed": {}}


@pytest.mark.parametrize("name", [b"service", b"before", b"after"])
def test_any_of_several_tokens_verifies_with_the_known_key(
    verify: Callable[..., CommandResult], webhooks: CommandLine, name: bytes
) -> None:
    shown, *beside = (
        PrivateKey.derive(bytes(16), each, Curve.SECP256K1) for each in (b"after", b"before", b"service")
    )
    known = PrivateKey.derive(bytes(16), name, Curve.SECP256K1)
    headers = sign_callback(
        method="POST",
        url=URL,
        content_type="application/json",
        body=BODY,
        delivery_id="d1",
        timestamp=NOW,
        keys=CallbackKeys(shown, SIGNING, KEY_ID, beside=tuple(beside)),
        webhook_secrets=[SECRET],
    )
    webhooks.write("several.json", headers)
    ended = verify("--public-key", known.public_key.to_base64(), "--json", headers="several.json")
    assert (ended.code, ended.document["verified"]) == (0, ["es256k"])


def test_each_signature_has_its_own_verdict(verify: Callable[..., CommandResult]) -> None:
    other = encode_webhook_secret(bytes(32))
    ended = verify("--secret", other, "--public-key", PUBLIC, "--json")
    assert ended.code == 1
    assert ended.document["verified"] == ["es256k"]
    assert list(ended.document["failed"]) == ["v1"]


def test_a_changed_body_fails_with_a_reason(verify: Callable[..., CommandResult]) -> None:
    ended = verify(*KEYS, body="-", stdin=BODY + b"\n")
    assert ended.code == 1
    assert "the callback does not verify" in ended.stderr
    assert ended.stdout.count("verified") == 0


def test_the_url_is_part_of_the_rfc_9421_signature(verify: Callable[..., CommandResult]) -> None:
    ended = verify(*KEYS, "--json", url="https://elsewhere.example.com/")
    assert list(ended.document["failed"]) == ["rfc9421"]


def test_an_old_callback_verifies_as_of_its_own_time(
    verify: Callable[..., CommandResult], webhooks: CommandLine
) -> None:
    webhooks.now = NOW + 3600
    ended = verify(*KEYS)
    assert ended.code == 1
    assert f"it was signed at {NOW - 10}: --at {NOW - 10} verifies it as of then" in ended.stderr
    assert verify(*KEYS, "--at", NOW - 10).code == 0
    assert verify(*KEYS, "--at", NOW).code == 0
    assert verify(*KEYS, "--tolerance", 7200).code == 0


def test_a_request_line_before_the_headers_is_passed_over(
    verify: Callable[..., CommandResult], webhooks: CommandLine
) -> None:
    dump = "POST /callbacks HTTP/1.1\r\n" + "\r\n".join(f"{name}: {value}" for name, value in HEADERS.items())
    assert verify(*KEYS, headers="-", stdin=dump + "\r\n\r\n").code == 0


def test_a_secret_can_come_from_a_file(verify: Callable[..., CommandResult], webhooks: CommandLine) -> None:
    webhooks.write("secret.txt", WHSEC + "\n")
    assert verify("--secret", "@secret.txt").code == 0


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (("--secret", "whsec_tell-nobody"), "a webhook secret is whsec_"),
        (("--public-key", "AAAA"), "a public key is the base64"),
        (("--jwks", "body.json"), "is no JWKS"),
        (("--jwks", "nowhere.json"), "cannot be read"),
    ],
)
def test_a_malformed_key_is_wrong_use(
    verify: Callable[..., CommandResult], argv: tuple[str, str], reason: str
) -> None:
    ended = verify(*argv)
    assert ended.code == 2
    assert reason in ended.stderr
    assert "tell-nobody" not in ended.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no headers"),
        ("{", "not JSON"),
        ('{"a": 1}', "header name to text"),
        ("a: b\nno header", "line 2"),
    ],
)
def test_headers_that_cannot_be_read_are_explained(
    verify: Callable[..., CommandResult], text: str, reason: str
) -> None:
    ended = verify(*KEYS, headers="-", stdin=text)
    assert ended.code == 2
    assert reason in ended.stderr


def test_stdin_cannot_be_two_inputs(verify: Callable[..., CommandResult]) -> None:
    assert verify(*KEYS, headers="-", body="-").code == 2


def test_a_deployment_is_needed_without_a_key(verify: Callable[..., CommandResult]) -> None:
    ended = verify()
    assert ended.code == 4
    assert "give --secret, --public-key or --jwks" in ended.stderr
