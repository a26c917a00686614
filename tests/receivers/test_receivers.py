"""The samples of docs/receivers verify what the service signs, and nothing else, each in its own language."""

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from signing import Curve, PrivateKey, derive_webhook_secret, encode_webhook_secret, jwk, thumbprint
from tests.readme_verifiers import NODE
from tests.signed_callbacks import BODY, JWKS, NOW, SECRET, SECRET_BEFORE, SEED, sent
from tools.site import languages

HERE = Path(__file__).parent
SAMPLES = HERE.parents[1] / "docs/receivers"
URL = "https://example.com/hook?a=1"
OTHER = PrivateKey.derive(b"another seed of the tests, 32 by", b"signing", Curve.P256).public_key
FOREIGN = {"keys": [jwk(OTHER, thumbprint(OTHER))]}
FORGED = {"keys": [jwk(OTHER, str(JWKS["keys"][0]["kid"]))]}


def case(kind: str, **changes: Any) -> str:
    """Write a case as the drivers read it: kind, key, URL, time, body, headers."""
    made: dict[str, Any] = {
        "secret": encode_webhook_secret(SECRET), "jwks": JWKS, "url": URL, "now": NOW, "body": BODY,
        "headers": sent(webhook_secrets=[SECRET, SECRET_BEFORE]),
    } | changes  # fmt: skip
    keys = "|".join(f"{each['kid']} {each['x']} {each['y']}" for each in made["jwks"]["keys"])
    headers = ",".join(f"{name.lower()}:{base64_of(value)}" for name, value in made["headers"].items())
    parts = (kind, made["secret"] if kind == "secret" else keys, made["url"], str(made["now"]))
    return "\t".join((*parts, base64.b64encode(made["body"]).decode(), headers))


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def changed(**changes: str | None) -> dict[str, str]:
    headers = {name.lower(): value for name, value in sent().items()}
    given = {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in (headers | given).items() if value is not None}


def cases() -> Iterator[tuple[str, str, bool]]:
    """Yield name, case, and whether it holds."""
    for kind in ("secret", "jwks"):
        yield f"{kind}: as it was sent", case(kind), True
        for seconds in (-300, 300):
            yield f"{kind}: {seconds} s off", case(kind, now=NOW + seconds), True
        for seconds in (-301, 301, 86_400):
            yield f"{kind}: {seconds} s off", case(kind, now=NOW + seconds), False
        yield f"{kind}: another body", case(kind, body=BODY + b" "), False
        yield f"{kind}: no body", case(kind, body=b""), False
        yield f"{kind}: no headers", case(kind, headers={}), False
        yield f"{kind}: another id", case(kind, headers=changed(webhook_id="dlv_2")), False
        yield f"{kind}: another time", case(kind, headers=changed(webhook_timestamp=str(NOW + 1))), False
        yield f"{kind}: a time of other digits", case(kind, headers=changed(webhook_timestamp="٣")), False
    yield "secret: the one before", case("secret", secret=encode_webhook_secret(SECRET_BEFORE)), True
    unknown = encode_webhook_secret(derive_webhook_secret(SEED, "wh_2", 1))
    yield "secret: another webhook's", case("secret", secret=unknown), False
    for text in (None, "", "v1,", "v1", " ", "es256k,AAAA v1,AAAA"):
        yield f"secret: signature {text!r}", case("secret", headers=changed(webhook_signature=text)), False
    yield "jwks: several keys", case("jwks", jwks={"keys": [*FOREIGN["keys"], *JWKS["keys"]]}), True
    yield "jwks: keys of others", case("jwks", jwks=FOREIGN), False
    yield "jwks: another key by that id", case("jwks", jwks=FORGED), False
    yield "jwks: another URL", case("jwks", url="https://example.com/hook"), False
    yield "jwks: another type", case("jwks", headers=changed(content_type="text/plain")), False
    signature, given = changed()["signature"], changed()["signature-input"]
    for text in (
        None,
        "",
        "webhook=:AAAA:",
        "webhook=:" + "A" * 86 + "==:",
        signature[:-4] + "==:",
        signature + ",",
    ):
        yield f"jwks: signature {text!r}", case("jwks", headers=changed(signature=text)), False
    for text in (
        None,
        "webhook=()",
        given.replace('"@method" ', ""),
        given + ";a",
        given.replace("p256", "p384"),
    ):
        yield f"jwks: input {text!r}", case("jwks", headers=changed(signature_input=text)), False


CASES = list(cases())


def run(*command: str | os.PathLike[str]) -> list[bool]:
    ended = subprocess.run(
        command,
        input="".join(text + "\n" for _, text, _ in CASES),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return [{"true": True, "false": False}[line] for line in ended.stdout.splitlines()]


def in_go(folder: Path) -> list[bool]:
    environment = os.environ | {
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "-mod=mod",
        "GOTOOLCHAIN": "local",
    }
    sources = [
        shutil.copy(each, folder) for each in (SAMPLES / "verify.go", HERE / "driver.go")
    ]  # in one folder
    build: list[str | Path] = ["go", "build", "-o", folder / "receiver", *sources]
    made = subprocess.run(build, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return run(folder / "receiver")


def in_java(folder: Path) -> list[bool]:
    build: list[str | Path] = [
        "javac",
        "-Xlint:all",
        "-Werror",
        "-d",
        folder,
        SAMPLES / "Verify.java",
        HERE / "Driver.java",
    ]
    made = subprocess.run(build, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return run("java", "-cp", folder, "Driver")


LANGUAGES: Mapping[str, Callable[[Path], list[bool]]] = {
    "go": in_go,
    "java": in_java,
    "node": lambda _: run(NODE, HERE / "driver.mjs", SAMPLES / "verify.mjs"),
    "php": lambda _: run("php", "-d", "error_reporting=-1", HERE / "driver.php", SAMPLES / "verify.php"),
    "python": lambda _: run(sys.executable, "-W", "error", HERE / "driver.py", SAMPLES / "verify.py"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sample_accepts_what_was_signed_and_nothing_else(language: str, tmp_path: Path) -> None:
    command = languages.COMMANDS.get(language)
    if command and not shutil.which(command):
        assert not os.environ.get("CI"), f"{command} is missing: `make languages` installs it"
        pytest.skip(f"no {command} on this machine: `make languages` installs it as root")
    holds = LANGUAGES[language](tmp_path)
    assert [name for (name, _, _), held in zip(CASES, holds, strict=True) if held] == [
        name for name, _, wanted in CASES if wanted
    ]
