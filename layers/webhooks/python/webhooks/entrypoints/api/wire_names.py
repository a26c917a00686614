"""Names of fields on the wire: camelCase, and the few that differ from the domain's more than in case."""

import re
from collections.abc import Sequence

from webhooks.domain.errors import InvalidInputError, InvalidWebhookError
from webhooks.domain.text import camel_case

_OTHER = {"endpoint": "api", "method": "type"}
OAUTH2 = {"client_id", "client_secret"}  # the fields of a credential that are in its `oauth2`
_FIELD = re.compile(r"\{([a-z0-9_.]+)\}")  # as a Problem's rule names a field


def wire_name(name: str) -> str:
    """Return the wire's name of a field: `oauth_token_url` is `oAuthTokenUrl`."""
    return _OTHER.get(name) or camel_case(name.replace("oauth_", "o_auth_"))


def wire_path(path: Sequence[str]) -> str:
    """Return the wire's path of a field: ("endpoint", "credential", "client_id") is
    `api.credential.oauth2.clientId`.
    """
    return ".".join(f"oauth2.{wire_name(name)}" if name in OAUTH2 else wire_name(name) for name in path)


def problems_text(error: InvalidInputError) -> str:
    """Return the sentences of an error, with fields by their names on the wire."""
    if not isinstance(error, InvalidWebhookError):
        return str(error)
    return "; ".join(
        f"{wire_path(problem.path)}: {_with_wire_names(problem.rule)}"
        if problem.path
        else _with_wire_names(problem.rule)
        for problem in error.wrong
    )


def _with_wire_names(rule: str) -> str:
    return _FIELD.sub(lambda found: wire_path(found[1].split(".")), rule)
