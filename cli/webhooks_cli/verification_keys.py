"""The keys that a callback is verified with: given, published by the deployment, or asked for."""

import json
import re
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import urllib3

from signing import PublicKey
from webhooks_cli.api import SECONDS, Api, fetch
from webhooks_cli.aws import with_api_url
from webhooks_cli.commands.call import full_path
from webhooks_cli.envelopes import open_envelopes
from webhooks_cli.errors import CliError, MissingError, RefusedError, UnreachableError, WrongUseError
from webhooks_cli.inputs import read_text
from webhooks_cli.key_pairs import read_public_key
from webhooks_cli.target import Target, find_target
from webhooks_cli.world import World
from webhooks_verify import InvalidKeyError, decode_secret

HMAC = "v1"
DELIVERY_ID = re.compile(r"([0-9a-f]{24})-[0-9A-Za-z_-]+", re.ASCII)  # it begins with its webhook's id


@dataclass(frozen=True, slots=True)
class Key:
    """One key to verify with, as the argument of `verify_callback` that takes it."""

    scheme: str
    argument: str
    value: str | Mapping[str, Any]


def find_keys(
    options: Namespace, headers: Mapping[str, str], *, world: World
) -> tuple[list[Key], dict[str, str]]:
    """Return the keys to verify with, and the schemes that cannot be verified with the reason of each.

    The keys that are given; with none, those that the deployment publishes, and the webhook's own secret
    where the deployment gives it. Raises CliError.
    """
    if not (options.public_key or options.secret or options.jwks):
        return _published(options, headers, world=world)
    keys = []
    if options.public_key:
        keys.append(_service_key(read_public_key(options.public_key)))
    if options.secret:
        keys.append(Key(HMAC, "secret", _secret(options.secret, world)))
    if options.jwks:
        keys.append(Key("rfc9421", "jwks", _jwks(options.jwks, world)))
    return keys, {}


def _published(
    options: Namespace, headers: Mapping[str, str], *, world: World
) -> tuple[list[Key], dict[str, str]]:
    try:
        target = with_api_url(find_target(options, world))
        api = Api(target, world)
        key = api.service_key()
    except MissingError as error:
        raise MissingError(
            f"no key: give --secret, --public-key or --jwks; or a deployment: {error}"
        ) from None
    keys = [_service_key(key)]
    unchecked = {}
    try:
        keys.append(Key(HMAC, "secret", _ask_secret(api, target, headers)))
    except CliError as error:
        unchecked[HMAC] = f"{error}; --secret whsec_... checks it"
    keys.append(Key("rfc9421", "jwks", _checked_jwks(api.document("/.well-known/jwks.json"), api.url)))
    return keys, unchecked


def _ask_secret(api: Api, target: Target, headers: Mapping[str, str]) -> str:
    """Ask for the secret of the webhook that the callback names. Raises CliError."""
    named = DELIVERY_ID.fullmatch(header_value(headers, "webhook-id"))
    if not named:
        raise WrongUseError("the header webhook-id names no webhook of this service")
    proof = api.headers()
    path = full_path(f"webhook/{named[1]}/secret", target)
    answer = api.send("GET", path, headers=proof)
    if answer.status != HTTPStatus.OK:
        raise RefusedError(f"GET {path} answered {answer.status} {answer.reason}")
    opened, _ = open_envelopes(answer.value(), api.session().shared_key)
    try:
        return _checked_secret(opened["signingSecret"])
    except (InvalidKeyError, KeyError, TypeError, AttributeError):
        pass  # the exception could carry the answer's text
    raise UnreachableError(f"GET {path} answered without a secret for this key pair")


def header_value(headers: Mapping[str, str], name: str) -> str:
    """Return a header's value by its name in lower case; empty where it is missing."""
    return next((value.strip() for each, value in headers.items() if each.lower() == name), "")


def _service_key(key: PublicKey) -> Key:
    return Key(key.curve.scheme, "public_key", key.to_wire())


def _secret(text: str, world: World) -> str:
    if text.startswith("@"):
        text = read_text(text[1:], world).strip()
    try:
        return _checked_secret(text)
    except InvalidKeyError as error:
        raise WrongUseError(f"--secret: {error}") from None


def _checked_secret(text: str) -> str:
    decode_secret(text)
    return text


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
