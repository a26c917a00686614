"""Responses about the deployment: environment, version and health."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from webhooks.domain.json_text import write_json
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.errors import RETRY_AFTER
from webhooks.entrypoints.api.powertools import Response, content_types
from webhooks.services.discovery import Discovery

ALL_WELL = "all services operational"
VERSION_FILE = "version.json"  # the build puts it beside the function's app.py
UNBUILT = "0.0.0+unbuilt"  # code that runs from its sources has no date of build


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentInfo:
    """The facts that do not change while the deployment runs. `allowed_time_span` in seconds."""

    curve_name: str
    allowed_time_span: int
    region: str
    stage: str
    service_directory: Mapping[str, str]
    webhooks_per_community: int

    def environment(self, *, version: str) -> dict[str, Any]:
        """Return the body of /environment."""
        return {
            "allowed_time_span": self.allowed_time_span,
            "EC_CURVE_NAME": self.curve_name,
            "region": self.region,
            "stage": self.stage,
            "version": version,
            "limits": {**limits.SHOWN, "webhooksPerCommunity": self.webhooks_per_community},
        }


def read_version(folder: Path) -> str:
    """Return the version that the build wrote into the folder."""
    try:
        return str(json.loads((folder / VERSION_FILE).read_text())["version"])
    except FileNotFoundError:
        return UNBUILT


def health_response(discovery: Discovery, *, version: str) -> Response[str]:
    """Return 200 where all services respond, 503 with the names of the others."""
    failing = discovery.health().failing
    status = HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK
    content = {
        "status": f"unavailable: {', '.join(failing)}" if failing else ALL_WELL,
        "publicKey": discovery.known_public_key(),
        "code": str(status.value),
        "version": version,
    }
    headers = {"Cache-Control": "no-store", **({"Retry-After": str(RETRY_AFTER)} if failing else {})}
    return Response(status.value, content_types.APPLICATION_JSON, write_json(content), headers=dict(headers))
