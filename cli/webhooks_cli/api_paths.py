"""Paths of the API, their short form, and those that need no license."""

import re
from urllib.parse import quote

from webhooks_cli.deployment import Deployment
from webhooks_cli.errors import MissingError, WrongUseError

COMMUNITY = "/tenant/{tenantId}/community/{communityId}/"
PLACEHOLDER = re.compile(r"\{(\w*)\}")
PUBLIC_PATHS = re.compile(
    r"/(healthz|environment|publickeys|sd|\.well-known(/.*)?|openapi\.json|docs|ecdsa_helper(/.*)?)"
)
URL_SAFE = "/?&=%:@!$'()*+,;~-._"


def full_path(path: str, deployment: Deployment) -> str:
    """Return the path from its short form; raises WrongUseError and MissingError."""
    if "://" in path:
        raise WrongUseError("PATH is a path of the API, not a URL: give the URL with --url")
    if not path.startswith("/"):
        path = COMMUNITY + path
    known = {
        "tenantId": ("--tenant", deployment.tenant_id),
        "communityId": ("--community", deployment.community_id),
    }

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        if name not in known:
            raise WrongUseError(
                f"PATH: put a value instead of {found[0]}; only {{tenantId}} and {{communityId}} "
                "are filled in"
            )
        option, value = known[name]
        if not value:
            raise MissingError(f"{deployment.origin} has no {name}: give {option}")
        return quote(value, safe="")

    return quote(PLACEHOLDER.sub(fill, path), safe=URL_SAFE)
