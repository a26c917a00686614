"""The rules that the fields of a webhook's endpoint and credential keep together."""

import re
from collections.abc import Mapping

from signing import TCHAR
from webhooks.domain.errors import Problem
from webhooks.domain.http import RESERVED_HEADERS as FRAMING_HEADERS
from webhooks.domain.text import TEXT_RULE, is_text
from webhooks.domain.webhook import AuthType, Credential, Endpoint

HEADER_NAME = re.compile(TCHAR + "{1,128}", re.ASCII)

# Headers that frame the request, or that the service itself sets on a callback: no api_key may use them.
RESERVED_HEADERS = FRAMING_HEADERS | {
    *("accept", "accept-encoding", "user-agent"),
    *("content-digest", "content-encoding", "content-type"),
    *("signature", "signature-input"),
    *("webhook-attempt", "webhook-id", "webhook-signature", "webhook-timestamp"),
}

# The fields of a credential that each way to authenticate needs.
NEEDED: Mapping[AuthType, tuple[str, ...]] = {
    AuthType.NONE: (),
    AuthType.BASIC: ("username", "password"),
    AuthType.BEARER: ("token",),
    AuthType.API_KEY: ("key_name", "key_value"),
    AuthType.OAUTH2: ("client_id", "client_secret"),
}


def endpoint_urls(endpoint: Endpoint) -> dict[str, str]:
    """Return the URLs that callbacks of the endpoint call, by field name."""
    urls = {"oauth_token_url": endpoint.oauth_token_url} if endpoint.auth_type is AuthType.OAUTH2 else {}
    return {name: url for name, url in {"url": endpoint.url, **urls}.items() if url}


def needed_part(endpoint: Endpoint, credential: Credential | None) -> Credential | None:
    """Return what the auth type needs of a credential: clients send the other fields empty."""
    if credential is None:
        return None
    given = credential.to_mapping()
    return Credential.from_mapping(
        {name: given[name] for name in NEEDED[endpoint.auth_type] if name in given}
    )


def endpoint_problems(endpoint: Endpoint) -> list[Problem]:
    """Return the fields beside the credential that OAuth 2 lacks."""
    if endpoint.auth_type is not AuthType.OAUTH2:
        return []
    problems = []
    if endpoint.oauth_grant_type != "client_credentials":
        problems.append(
            Problem(("endpoint", "oauth_grant_type"), "must be client_credentials for {auth_type} oauth2")
        )
    if not endpoint.oauth_token_url:
        problems.append(Problem(("endpoint", "oauth_token_url"), "required for {auth_type} oauth2"))
    return problems


def credential_problems(endpoint: Endpoint, credential: Credential | None) -> list[Problem]:
    """Return the values that are missing, superfluous or unfit for a header."""
    auth_type, needed = endpoint.auth_type, NEEDED[endpoint.auth_type]
    given = credential.to_mapping() if credential else {}
    problems = [
        _problem(name, f"required for {{auth_type}} {auth_type}") for name in needed if name not in given
    ]
    problems += [
        _problem(name, f"must not be empty for {{auth_type}} {auth_type}")
        for name, value in given.items()
        if name in needed and not value and auth_type is not AuthType.BASIC  # RFC 7617: both may be empty
    ]
    problems += [
        _problem(name, f"not for {{auth_type}} {auth_type}, leave it out")
        for name, value in given.items()
        if name not in needed and value
    ]
    problems += [
        _problem(name, f"must have {TEXT_RULE}") for name, value in given.items() if not is_text(value)
    ]
    return problems + _header_problems(auth_type, given)


def _header_problems(auth_type: AuthType, given: Mapping[str, str]) -> list[Problem]:
    problems = []
    if auth_type is AuthType.BASIC and ":" in given.get("username", ""):
        problems.append(_problem("username", "must not have a ':' (RFC 7617)"))
    if auth_type is AuthType.API_KEY and (header := given.get("key_name")):
        if not HEADER_NAME.fullmatch(header):
            problems.append(_problem("key_name", "must be the name of an HTTP header"))
        elif header.lower() in RESERVED_HEADERS:
            problems.append(_problem("key_name", "this header is set by the service, choose another"))
    for name in ("token", "key_value"):
        value = given.get(name, "")
        if not value.isascii():
            problems.append(_problem(name, "must be ASCII, it is sent as a header"))
        if value != value.strip():  # a receiver trims header values (RFC 9110, 5.5)
            problems.append(_problem(name, "must not begin or end with a space"))
    return problems


def _problem(name: str, rule: str) -> Problem:
    return Problem(("endpoint", "credential", name), rule)
