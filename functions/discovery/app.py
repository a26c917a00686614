"""functions/discovery: the routes that need no license, and 404 for every unknown path."""

from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from webhooks.bootstrap.discovery import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.api import docs_page
from webhooks.entrypoints.api.discovery_responses import DeploymentInfo, health_response, read_version
from webhooks.entrypoints.api.public_url import public_url
from webhooks.entrypoints.api.resolver import RestApi, json_response
from webhooks.services.discovery import Discovery

HERE = Path(__file__).parent
# A proxy shows a reset key at most half a minute late, in the grace of the key before; and a key of the JWKS
# within a minute, before it signs (an instance's key store uses half of it). Clients cache both longer.
SHORTLY = {"Cache-Control": "public, max-age=30"}


def routes(discovery: Discovery, info: DeploymentInfo) -> RestApi:
    """Return the API over the use case and the deployment's info."""
    api = RestApi(invocation)
    version, document = read_version(HERE), (HERE / "openapi.json").read_text()

    @api.get("/healthz")
    def healthz() -> Response[str]:
        return health_response(discovery, version=version)

    @api.get("/environment")
    def environment() -> Response[str]:
        return json_response(info.environment(version=version))

    @api.get("/publickeys")
    def public_keys() -> Response[str]:
        return json_response({"publicKey": discovery.public_key()}, headers=SHORTLY)

    @api.get("/.well-known")
    def well_known() -> Response[str]:
        return json_response({"public_key": discovery.public_key()}, headers=SHORTLY)

    @api.get("/.well-known/jwks.json")
    def jwks() -> Response[str]:
        return json_response(discovery.jwks(), headers=SHORTLY)

    @api.get("/sd")
    def service_directory() -> Response[str]:
        return json_response({**info.service_directory, "webhooks": public_url(api.incoming)})

    @api.get("/openapi.json")
    def openapi() -> Response[str]:
        return json_response(document, headers=SHORTLY)

    @api.get("/docs")
    def docs() -> Response[str]:
        return docs_page.response(document)

    return api


app = compose()
lambda_handler = routes(app.discovery, app.info).handle
