"""The keys that verify a callback: given as options, or published by the deployment."""

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
from webhooks_cli.api_paths import full_path
from webhooks_cli.aws import with_api_url
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import Deployment, find_deployment
from webhooks_cli.envelopes import open_envelopes
from webhooks_cli.errors import CliError, MissingError, RefusedError, UnreachableError, WrongUseError
from webhooks_cli.inputs import read_text
from webhooks_cli.key_pairs import read_public_key
from webhooks_verify import InvalidKeyError, decode_secret

HMAC = "v1"
DELIVERY_ID = re.compile(r"([0-9a-f]{24})-[0-9A-Za-z_-]+", re.ASCII)  # begins with the webhook's id


@dataclass(frozen=True, slots=True)
class Key:
    """A key for `verify_callback`, and the argument that takes it."""

    scheme: str
    argument: str
    value: str | Mapping[str, Any]


def find_keys(
    options: Namespace, headers: Mapping[str, str], *, context: CliContext
) -> tuple[list[Key], dict[str, str]]:
    """Return the keys, and the schemes that cannot be verified, with the reason of each.

    Without a key among the options, the keys are those that the deployment publishes, and the webhook's own
    secret where the caller's license may read it. Raises CliError.
    """
    if not (options.public_key or options.secret or options.jwks):
        return _published(options, headers, context=context)
    keys = []
    if options.public_key:
        keys.append(_service_key(read_public_key(options.public_key)))
    if options.secret:
        keys.append(Key(HMAC, "secret", _secret(options.secret, context)))
    if options.jwks:
        keys.append(Key("rfc9421", "jwks", _jwks(options.jwks, context)))
    return keys, {}


def _published(
    options: Namespace, headers: Mapping[str, str], *, context: CliContext
) -> tuple[list[Key], dict[str, str]]:
    try:
        deployment = with_api_url(find_deployment(options, context))
        api = Api(deployment, context)
        key = api.service_key()
    except MissingError as error:
        raise MissingError(
            f"no key: give --secret, --public-key or --jwks; or a deployment: {error}"
        ) from None
    keys = [_service_key(key)]
    unchecked = {}
    try:
        keys.append(Key(HMAC, "secret", _fetch_secret(api, deployment, headers)))
    except CliError as error:
        unchecked[HMAC] = f"{error}; --secret whsec_... checks it"
    keys.append(Key("rfc9421", "jwks", _checked_jwks(api.document("/.well-known/jwks.json"), api.url)))
    return keys, unchecked


def _fetch_secret(api: Api, deployment: Deployment, headers: Mapping[str, str]) -> str:
    """Fetch the secret of the webhook that the callback names. Raises CliError."""
    named = DELIVERY_ID.fullmatch(header_value(headers, "webhook-id"))
    if not named:
        raise WrongUseError("the header webhook-id names no webhook of this service")
    proof = api.headers()
    path = full_path(f"webhook/{named[1]}/secret", deployment)
    response = api.send("GET", path, headers=proof)
    if response.status != HTTPStatus.OK:
        raise RefusedError(f"GET {path} answered {response.status} {response.reason}")
    opened, _ = open_envelopes(response.value(), api.session().shared_key)
    try:
        return _checked_secret(opened["signingSecret"])
    except (InvalidKeyError, KeyError, TypeError, AttributeError):
        pass  # the exception could carry the response's text
    raise UnreachableError(f"GET {path} answered without a secret for this key pair")


def header_value(headers: Mapping[str, str], name: str) -> str:
    """Return a header's value by its name in lower case; an empty text where it is missing."""
    return next((value.strip() for each, value in headers.items() if each.lower() == name), "")


def _service_key(key: PublicKey) -> Key:
    return Key(key.curve.scheme, "public_key", key.to_base64())


def _secret(text: str, context: CliContext) -> str:
    if text.startswith("@"):
        text = read_text(text[1:], context).strip()
    try:
        return _checked_secret(text)
    except InvalidKeyError as error:
        raise WrongUseError(f"--secret: {error}") from None


def _checked_secret(text: str) -> str:
    decode_secret(text)
    return text


def _jwks(source: str, context: CliContext) -> Mapping[str, Any]:
    if source.startswith(("https://", "http://")):
        response = fetch(
            urllib3.PoolManager(retries=False, timeout=SECONDS), "GET", source, headers={}, body=None
        )
        if response.status != HTTPStatus.OK:
            raise UnreachableError(f"GET {source} answered {response.status} {response.reason}, not 200")
        return _checked_jwks(response.value(), source)
    try:
        return _checked_jwks(json.loads(read_text(source, context)), source)
    except (ValueError, RecursionError):
        raise WrongUseError(f"{source}: is not JSON") from None


def _checked_jwks(document: Any, source: str) -> Mapping[str, Any]:
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise WrongUseError(f"{source}: is no JWKS: a JSON object with an array keys")
    return document
