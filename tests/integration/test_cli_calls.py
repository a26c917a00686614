"""`call`, `headers` and `verify` against an API on loopback with its own implementation of the protocol."""

import json
import re
import socket
import stat
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signing import CallbackKeys, Curve, PrivateKey, encode_webhook_secret, sign_callback
from tests import plain_protocol as protocol
from tests.loopback_api import SIGNING, Api
from tests.unit.cli.command_line import NOW, CommandLine, CommandResult, Terminal

LICENSES = {"system": "a-system-license", "service": "a-service-license"}


@pytest.fixture(params=["secp256k1", "prime256v1"])
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    with Api(request.param) as api:
        yield api


@pytest.fixture
def webhooks(tmp_path: Path, api: Api) -> CommandLine:
    command_line = CommandLine(tmp_path)
    command_line.write_stack(apiUrl=api.url, tenantId="acme", communityId="main", licenses=LICENSES)
    return command_line


def test_the_api_can_open_the_envelopes_of_call(webhooks: CommandLine) -> None:
    ended = webhooks("call", "put", "webhook", "-d", "-", "-H", "x-more: 1", "--json", stdin='{"name":"ü"}')
    response = ended.document
    assert (response["method"], response["path"]) == ("PUT", "/tenant/acme/community/main/webhook")
    assert response["license"] == LICENSES["system"]
    assert response["requestid"]["ts"] == NOW
    assert response["requestid"]["appid"] == "webhooks-cli"
    assert (response["contentType"], response["x"], response["body"]) == (
        "application/json",
        "1",
        '{"name":"ü"}',
    )


def test_the_body_can_be_a_file_or_json_itself(webhooks: CommandLine) -> None:
    webhooks.write("fetch.json", '{"pSize":1}')
    responses = [
        webhooks("call", "POST", "webhooks/fetch", "-d", data, "--json").document
        for data in ("fetch.json", '{"pSize":1}')
    ]
    assert [response["body"] for response in responses] == ['{"pSize":1}'] * 2


def test_the_level_chooses_the_license(webhooks: CommandLine) -> None:
    response = webhooks("call", "GET", "/servicekeys", "--level", "service", "--json").document
    assert response["license"] == LICENSES["service"]


def test_envelopes_are_opened_when_asked_for(webhooks: CommandLine) -> None:
    closed = webhooks("call", "GET", "/servicekeys", "--json").document
    assert closed["signingSecret"] != "whsec_x"
    ended = webhooks("call", "GET", "/servicekeys", "--decrypt")
    opened = json.loads(ended.stdout)
    assert opened["signingSecret"] == "whsec_x"
    assert opened["api"]["credential"] == {"username": "jdoe", "password": "plain"}
    assert "api.credential.password: no envelope for this key pair" in ended.stderr


def test_the_pair_of_the_caller_is_made_once_and_readable_by_its_owner_only(
    webhooks: CommandLine, tmp_path: Path, api: Api
) -> None:
    first, second = webhooks("headers", "--json").document, webhooks("headers", "--json").document
    assert first["publickey"] == second["publickey"]
    assert first["requestid"] != second["requestid"]
    file = tmp_path / ".local/caller.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["publicKey"] == first["publickey"]


def test_the_services_key_is_asked_for_once_in_a_call(webhooks: CommandLine, api: Api) -> None:
    webhooks("call", "GET", "/servicekeys", "--decrypt")
    assert api.seen == [("GET", "/publickeys"), ("GET", "/servicekeys")]


@pytest.mark.parametrize("path", ["/healthz", "/sd?x=1", "/.well-known/jwks.json", "/ecdsa_helper/encrypt"])
def test_open_paths_are_called_without_a_license(webhooks: CommandLine, api: Api, path: str) -> None:
    webhooks.write_stack(apiUrl=api.url)
    assert webhooks("call", "GET", path).code == 0
    assert api.seen == [("GET", path)]


def test_the_status_goes_to_stderr_and_the_response_to_stdout(webhooks: CommandLine) -> None:
    ended = webhooks("call", "GET", "/healthz")
    assert re.fullmatch(r"200 OK \(\d+ ms\)\n", ended.stderr)
    assert json.loads(ended.stdout) == {"anonymous": True}
    assert webhooks("call", "GET", "/healthz", "--json").stderr == ""


def test_output_to_a_terminal_has_colours(webhooks: CommandLine) -> None:
    assert json.loads(
        re.sub("\x1b\\[[0-9;]*m", "", webhooks("call", "GET", "/healthz", stdout=Terminal()).stdout)
    )


@pytest.mark.parametrize(
    ("response", "code", "document"),
    [
        ((204, b""), 0, None),
        ((200, b"<html>"), 0, "<html>"),
        ((404, b'{"statusCode": 404}'), 1, {"statusCode": 404}),
        ((302, b""), 1, None),
        ((503, b'{"statusCode": 503}'), 3, {"statusCode": 503}),
        ((299, b"\xff" + b"[" * 10_000), 0, "\ufffd" + "[" * 10_000),
    ],
)
def test_every_response_is_one_document_and_an_exit_code(
    webhooks: CommandLine, api: Api, response: tuple[int, bytes], *, code: int, document: object
) -> None:
    api.responses["/servicekeys"] = response
    ended = webhooks("call", "GET", "/servicekeys", "--json")
    assert (ended.code, ended.document) == (code, document)


def test_include_adds_status_and_headers(webhooks: CommandLine, api: Api) -> None:
    api.responses["/healthz"] = (503, b'{"a": 1}')
    document = webhooks("call", "GET", "/healthz", "-i", "--json").document
    assert (document["status"], document["body"]) == (503, {"a": 1})
    assert document["headers"]["content-length"] == "8"


def test_the_printed_headers_are_lines_for_curl(webhooks: CommandLine, api: Api) -> None:
    lines = webhooks("headers").stdout.splitlines()
    assert [line.endswith(" \\") for line in lines] == [True, True, False]
    found = dict(re.findall(r"^-H '(\w+): ([^']+)'", "\n".join(lines), re.MULTILINE))
    key = protocol.shared_key(api.keys, found["publickey"])
    assert protocol.unseal(key, found["licensekey"]) == LICENSES["system"]
    plain = webhooks("headers", "--plain").stdout.splitlines()
    assert [line.partition(": ")[0] for line in plain] == ["licensekey", "requestid", "publickey"]


def test_a_profile_calls_with_its_own_pair_and_license(webhooks: CommandLine, api: Api) -> None:
    pair = protocol.new_key_pair("secp256k1" if api.keys.curve is protocol.SECP256K1 else "prime256v1")
    webhooks.write_profiles(
        f'[prod]\nurl = "{api.url}/"\nprivate_key_file = "prod.key"\nlicense = "its-own"\n'
    )
    webhooks.write("home/.config/webhooks/prod.key", pair.private)
    headers = webhooks("headers", "--profile", "prod", "--json").document
    assert headers["publickey"] == pair.public
    assert protocol.unseal(protocol.shared_key(api.keys, pair.public), headers["licensekey"]) == "its-own"


def test_a_url_alone_takes_the_license_of_the_environment_and_a_new_pair(
    webhooks: CommandLine, api: Api, tmp_path: Path
) -> None:
    webhooks.environment["WEBHOOKS_LICENSE"] = "of-the-environment"
    response = webhooks("call", "GET", "/servicekeys", "--url", api.url, "--json").document
    assert response["license"] == "of-the-environment"
    assert not (tmp_path / ".local/caller.json").exists()


@pytest.mark.parametrize(
    "content",
    ["tell-nobody", '{"privateKey": "tell-nobody"}', '{"tell-nobody": 1}', "tell-nobody\udcff"],
)
def test_a_key_file_without_a_key_is_named_and_not_quoted(
    webhooks: CommandLine, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "broken.key"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    ended = webhooks("headers", "--key-file", "broken.key")
    assert ended.code in (2, 4)
    assert str(file) in ended.stderr
    assert "tell-nobody" not in ended.stderr


def test_a_key_on_another_curve_than_the_deployments_is_named(
    webhooks: CommandLine, api: Api, tmp_path: Path
) -> None:
    other = "prime256v1" if api.keys.curve is protocol.SECP256K1 else "secp256k1"
    webhooks("keys", "new", "--curve", other, "--out", "other.key")
    ended = webhooks("headers", "--key-file", "other.key")
    assert ended.code == 2
    assert f"{tmp_path / 'other.key'}: its key is on {other}, the deployment's keys are on " in ended.stderr


def test_a_key_file_that_keys_new_made_is_used(webhooks: CommandLine, api: Api) -> None:
    name = "secp256k1" if api.keys.curve is protocol.SECP256K1 else "prime256v1"
    made = webhooks("keys", "new", "--curve", name, "--out", "my.key", "--json").document
    headers = webhooks("headers", "--key-file", "my.key", "--json").document
    assert headers["publickey"] == made["publicKey"]


def test_a_closed_port_is_unreachable(webhooks: CommandLine) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ended = webhooks("call", "GET", "/healthz", "--url", url)
    assert ended.code == 3
    assert ended.stderr == f"webhooks: GET {url}/healthz: no response (nothing listens there)\n"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"publicKey": 3}', b'{"publicKey": "AAAA"}', b"<html>"])
def test_another_server_is_recognized(webhooks: CommandLine, api: Api, body: bytes) -> None:
    api.responses["/publickeys"] = (200, body)
    ended = webhooks("headers")
    assert ended.code == 3
    assert "is this the API's URL?" in ended.stderr


def test_a_failing_api_is_unreachable(webhooks: CommandLine, api: Api) -> None:
    api.responses["/publickeys"] = (500, b"")
    ended = webhooks("headers")
    assert ended.code == 3
    assert "answered 500" in ended.stderr


@pytest.mark.parametrize("url", ["api.example.com", "ftp://x", "http://", "http://[", "http://a b/"])
def test_a_malformed_url_is_wrong_use(webhooks: CommandLine, url: str) -> None:
    ended = webhooks("call", "GET", "/healthz", "--url", url)
    assert ended.code in (2, 3)
    assert ended.stderr.startswith("webhooks: ")
    assert "fault" not in ended.stderr


WEBHOOK_ID = "65f0c0ffee65f0c0ffee65f0"
ENDPOINT = "https://shop.example.com/h"
SECRET = bytes(range(32))


def curve_of(api: Api) -> Curve:
    name = "secp256k1" if api.keys.curve is protocol.SECP256K1 else "prime256v1"
    return next(each for each in Curve if each.value == name)


@pytest.fixture
def verify(webhooks: CommandLine, api: Api) -> Callable[..., CommandResult]:
    service = PrivateKey.from_base64(b64encode(api.keys.scalar.to_bytes(32)).decode(), curve_of(api))
    headers = sign_callback(
        method="POST",
        url=ENDPOINT,
        content_type="application/json",
        body=b"{}",
        delivery_id=f"{WEBHOOK_ID}-{'0' * 12}-{'0' * 32}",
        timestamp=NOW,
        keys=CallbackKeys(service, SIGNING, "k1"),
        webhook_secrets=[SECRET],
    )
    webhooks.write("headers.json", {"content-type": "application/json", **headers})
    webhooks.write("license.txt", "a-license")
    api.secret = encode_webhook_secret(SECRET)

    def run(*argv: str, name: str = "--endpoint", body: bytes = b"{}") -> CommandResult:
        return webhooks(
            "verify", name, ENDPOINT, "--headers", "headers.json", "--body", "-", "--json", *argv, stdin=body
        )

    return run


@pytest.mark.parametrize("name", ["--endpoint", "--url"])
def test_a_callback_verifies_with_the_published_keys_and_the_webhooks_secret(
    verify: Callable[..., CommandResult], api: Api, name: str
) -> None:
    ended = verify(name=name)
    assert ended.document == {
        "ok": True,
        "verified": [curve_of(api).scheme, "v1", "rfc9421"],
        "failed": {},
    }
    assert ("GET", f"/tenant/acme/community/main/webhook/{WEBHOOK_ID}/secret") in api.seen


def test_a_callback_of_another_secret_does_not_verify(verify: Callable[..., CommandResult], api: Api) -> None:
    api.secret = encode_webhook_secret(bytes(32))
    ended = verify()
    assert ended.code == 1
    assert list(ended.document["failed"]) == ["v1"]


def test_the_published_keys_can_be_chosen(verify: Callable[..., CommandResult], api: Api) -> None:
    by_url = verify("--jwks", f"{api.url}/.well-known/jwks.json")
    assert by_url.document == {"ok": True, "verified": ["rfc9421"], "failed": {}}
    assert verify("--api", api.url, body=b"{ }").code == 1


def secret_path(response: tuple[int, bytes]) -> dict[str, tuple[int, bytes]]:
    return {f"/tenant/acme/community/main/webhook/{WEBHOOK_ID}/secret": response}


@pytest.mark.parametrize(
    ("argv", "responses", "reason"),
    [
        (("--api", "{url}"), {}, "has no license"),
        (("--api", "{url}", "--license-file", "license.txt"), {}, "has no tenantId"),
        ((), secret_path((404, b'{"statusCode": 404}')), "answered 404 Not Found"),
        ((), secret_path((200, b"[]")), "answered without a secret"),
        ((), secret_path((200, b'{"signingSecret": "bm90IG91cnM="}')), "answered without a secret"),
    ],
)
def test_an_unchecked_hmac_is_reported_with_its_reason_and_remedy(
    verify: Callable[..., CommandResult],
    api: Api,
    argv: tuple[str, ...],
    *,
    responses: dict[str, tuple[int, bytes]],
    reason: str,
) -> None:
    api.responses.update(responses)
    ended = verify(*(each.format(url=api.url) for each in argv))
    assert ended.code == 0
    assert ended.document["verified"] == [curve_of(api).scheme, "rfc9421"]
    assert reason in ended.document["notChecked"]["v1"]
    assert "--secret" in ended.document["notChecked"]["v1"]


def test_no_secret_is_fetched_for_a_callback_of_another_service(
    verify: Callable[..., CommandResult], webhooks: CommandLine, api: Api, tmp_path: Path
) -> None:
    headers = json.loads((tmp_path / "headers.json").read_text())
    webhooks.write("headers.json", {**headers, "webhook-id": "msg_1"})
    ended = verify()
    assert "names no webhook" in ended.document["notChecked"]["v1"]
    assert not [path for _, path in api.seen if "secret" in path]


def test_no_error_shows_a_license_or_a_private_key(webhooks: CommandLine, api: Api, tmp_path: Path) -> None:
    webhooks("headers")
    private = json.loads((tmp_path / ".local/caller.json").read_text())["privateKey"]
    shown = []
    for status in (400, 401, 500):
        api.responses["/servicekeys"] = (status, b"{}")
        shown.append(webhooks("call", "GET", "/servicekeys", "-i"))
    api.responses["/publickeys"] = (500, b"")
    shown.append(webhooks("headers"))
    for ended in shown:
        assert ended.code != 0
        assert not any(secret in ended.stdout + ended.stderr for secret in (*LICENSES.values(), private))
