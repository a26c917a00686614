"""`webhooks verify`: does a callback hold, by its headers and body, and by which signatures?"""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import urllib3

from signing import (
    InvalidKeyError,
    PublicKey,
    VerificationError,
    decode_webhook_secret,
    verify_callback,
)
from webhooks_cli.api import SECONDS, Api, fetch
from webhooks_cli.aws import with_api_url
from webhooks_cli.errors import OK, MissingError, RefusedError, UnreachableError, WrongUseError
from webhooks_cli.inputs import read_input, read_text
from webhooks_cli.key_pairs import read_public_key
from webhooks_cli.options import add_command, output_options
from webhooks_cli.result import Result, Table
from webhooks_cli.target import find_target
from webhooks_cli.world import World

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Verify a callback that was received: its headers, its body to the byte, and the URL that it was sent to.
Verifies with every key that is given; with none, with those that the API publishes (/publickeys and
/.well-known/jwks.json of --api or of .local/stack.json). Exit code 1 if one signature does not hold.

HEADERS: a file with 'Name: value' lines, or a JSON object of name to value.

examples:
  webhooks verify --url https://example.com/hook --headers headers.txt --body body.json --secret whsec_...
  webhooks verify --url https://example.com/hook --headers headers.txt --body body.json
  webhooks verify --url https://example.com/hook --headers h.json --body - --jwks jwks.json --at 1767225600
"""


@dataclass(frozen=True, slots=True)
class Key:
    """One key to verify with, as the argument of `verify_callback` that takes it."""

    scheme: str
    argument: str
    value: PublicKey | bytes | Mapping[str, Any]


def add_parser(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "verify",
        run=run,
        summary="check a callback's signatures",
        description=DESCRIPTION,
        parents=[output_options()],
    )
    parser.add_argument(
        "--url", dest="endpoint", required=True, help="the endpoint's URL, as the webhook has it"
    )
    parser.add_argument("--headers", required=True, metavar="FILE", help="the headers; - for stdin")
    parser.add_argument("--body", required=True, metavar="FILE", help="the body, byte for byte; - for stdin")
    parser.add_argument("--method", default="POST", help="default: %(default)s")
    parser.add_argument(
        "--secret", metavar="whsec_...", help="the webhook's own secret; @FILE reads it from there"
    )
    parser.add_argument("--public-key", metavar="KEY", help="the service's public key")
    parser.add_argument("--jwks", metavar="URL", help="the published keys: a URL, or a file")
    parser.add_argument("--at", type=int, metavar="SECONDS", help="verify as of this time (default: now)")
    parser.add_argument(
        "--tolerance",
        type=int,
        default=300,
        metavar="SECONDS",
        help="how old it may be (default: %(default)s)",
    )
    parser.add_argument("--profile", metavar="NAME", help="whose published keys, where none are given")
    parser.add_argument("--api", dest="url", metavar="URL", help="the same, by the API's URL")
    parser.set_defaults(
        stack=None, region=None, tenant=None, community=None, level=None, key_file=None, license_file=None
    )


def run(options: Namespace, world: World) -> Result:
    """Verify with each key by itself, so that each signature has its own verdict."""
    if options.headers == options.body == "-":
        raise WrongUseError("only one of --headers and --body can be stdin")
    headers = read_headers(read_text(options.headers, world), options.headers)
    body = read_input(options.body, world)
    verdicts = {}
    for key in _keys(options, world):
        arguments = {"service_key": None, "webhook_secret": None, "jwks": None, key.argument: key.value}
        try:
            verify_callback(
                method=options.method.upper(),
                url=options.endpoint,
                headers=headers,
                body=body,
                now=int(world.clock()) if options.at is None else options.at,
                tolerance=options.tolerance,
                **arguments,  # type: ignore[arg-type]  # each key has the type that its argument takes
            )
        except VerificationError as error:
            verdicts[key.scheme] = str(error)
        else:
            verdicts[key.scheme] = ""
    return _result(verdicts)


def _result(verdicts: Mapping[str, str]) -> Result:
    failed = {scheme: reason for scheme, reason in verdicts.items() if reason}
    verified = [scheme for scheme in verdicts if scheme not in failed]
    return Result(
        document={"ok": not failed, "verified": verified, "failed": failed},
        shown=Table(
            ("scheme", "verdict"), [(scheme, reason or "verified") for scheme, reason in verdicts.items()]
        ),
        notes=("the callback does not verify",) if failed else (),
        exit_code=RefusedError.exit_code if failed else OK,
    )


def read_headers(text: str, source: str) -> dict[str, str]:
    """Read headers from JSON or from lines; raises WrongUseError."""
    if text.lstrip().startswith("{"):
        try:
            given = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise WrongUseError(f"{source}: not JSON: {error}") from None
        if not all(isinstance(value, str) for value in given.values()):
            raise WrongUseError(f"{source}: must be a JSON object of header name to text")
        return dict(given)
    headers = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, colon, value = line.partition(":")
        if colon and name and " " not in name:
            headers[name] = value.strip()
        elif line.strip() and number > 1:  # the first may be the request line
            raise WrongUseError(f"{source}, line {number}: must be 'Name: value'")
    if not headers:
        raise WrongUseError(f"{source}: holds no headers: 'Name: value' lines, or a JSON object")
    return headers


def _keys(options: Namespace, world: World) -> Iterator[Key]:
    if options.public_key:
        key = read_public_key(options.public_key)
        yield Key(key.curve.scheme, "service_key", key)
    if options.secret:
        yield Key("v1", "webhook_secret", _secret(options.secret, world))
    if options.jwks:
        yield Key("rfc9421", "jwks", _jwks(options.jwks, world))
    if not (options.public_key or options.secret or options.jwks):
        api = _api(options, world)
        key = api.service_key()
        yield Key(key.curve.scheme, "service_key", key)
        yield Key("rfc9421", "jwks", _checked_jwks(api.document("/.well-known/jwks.json"), api.url))


def _api(options: Namespace, world: World) -> Api:
    try:
        return Api(with_api_url(find_target(options, world)), world)
    except MissingError as error:
        raise MissingError(
            f"no key: give --secret, --public-key or --jwks; or a deployment: {error}"
        ) from None


def _secret(text: str, world: World) -> bytes:
    if text.startswith("@"):
        text = read_text(text[1:], world).strip()
    try:
        return decode_webhook_secret(text)
    except InvalidKeyError as error:
        raise WrongUseError(f"--secret: {error}") from None


def _jwks(place: str, world: World) -> Mapping[str, Any]:
    if place.startswith(("https://", "http://")):
        answer = fetch(
            urllib3.PoolManager(retries=False, timeout=SECONDS), "GET", place, headers={}, body=None
        )
        if answer.status != HTTPStatus.OK:
            raise UnreachableError(f"GET {place} answered {answer.status} {answer.reason}, not 200")
        return _checked_jwks(answer.value(), place)
    try:
        return _checked_jwks(json.loads(read_text(place, world)), place)
    except (ValueError, RecursionError):
        raise WrongUseError(f"{place}: is not JSON") from None


def _checked_jwks(document: Any, source: str) -> Mapping[str, Any]:
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise WrongUseError(f"{source}: is no JWKS: a JSON object with an array keys")
    return document
