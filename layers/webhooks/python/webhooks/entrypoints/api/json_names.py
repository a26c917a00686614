"""Names of fields in the API's JSON: camelCase, and a few that differ from the domain's by more than case."""

import re
from collections.abc import Sequence

from webhooks.domain.errors import InvalidInputError, InvalidWebhookError
from webhooks.domain.text import camel_case

_OTHER = {"endpoint": "api", "method": "type"}
OAUTH2 = {"client_id", "client_secret"}  # the fields of a credential that are in its `oauth2`
_FIELD = re.compile(r"\{([a-z0-9_.]+)\}")  # as a Problem's rule names a field


def json_name(name: str) -> str:
    """Return a field's name in JSON: `oauth_token_url` is `oAuthTokenUrl`."""
    return _OTHER.get(name) or camel_case(name.replace("oauth_", "o_auth_"))


def json_path(path: Sequence[str]) -> str:
    """Return a field's path in JSON: ("endpoint", "credential", "client_id") is
    `api.credential.oauth2.clientId`.
    """
    return ".".join(f"oauth2.{json_name(name)}" if name in OAUTH2 else json_name(name) for name in path)


def problems_text(error: InvalidInputError) -> str:
    """Return the sentences of an error, with fields by their names in JSON."""
    if not isinstance(error, InvalidWebhookError):
        return str(error)
    return "; ".join(
        f"{json_path(problem.path)}: {_with_json_names(problem.rule)}"
        if problem.path
        else _with_json_names(problem.rule)
        for problem in error.wrong
    )


def _with_json_names(rule: str) -> str:
    return _FIELD.sub(lambda found: json_path(found[1].split(".")), rule)
