"""functions/discovery: the routes that need no license, and 404 for every unknown path."""

from pathlib import Path

from webhooks.bootstrap.discovery import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.api.discovery_responses import DeploymentInfo, health_response, read_version
from webhooks.entrypoints.api.powertools import Response
from webhooks.entrypoints.api.public_url import public_url
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi, json_response
from webhooks.entrypoints.probe import probed
from webhooks.services.discovery import Discovery

HERE = Path(__file__).parent
# A proxy shows a reset key at most half a minute late, in the grace of the key before; and a key of the JWKS
# within a minute, before it signs (an instance's key store uses half of it). Clients cache both longer.
SHORTLY = {"Cache-Control": "public, max-age=30"}


def routes(discovery: Discovery, deployment: DeploymentInfo) -> RestApi:
    """Return the API over the use case and the deployment's description."""
    api = RestApi(invocation)
    version, document = read_version(HERE), (HERE / "openapi.json").read_text()

    @api.get("/healthz")
    def healthz(_: ApiRequest) -> Response[str]:
        return health_response(discovery, version=version)

    @api.get("/environment")
    def environment(_: ApiRequest) -> Response[str]:
        return json_response(deployment.environment(version=version))

    @api.get("/publickeys")
    def public_keys(_: ApiRequest) -> Response[str]:
        return json_response({"publicKey": discovery.public_key()}, headers=SHORTLY)

    @api.get("/.well-known")
    def well_known(_: ApiRequest) -> Response[str]:
        return json_response({"public_key": discovery.public_key()}, headers=SHORTLY)

    @api.get("/.well-known/jwks.json")
    def jwks(_: ApiRequest) -> Response[str]:
        return json_response(discovery.jwks(), headers=SHORTLY)

    @api.get("/sd")
    def service_directory(request: ApiRequest) -> Response[str]:
        return json_response({**deployment.service_directory, "webhooks": public_url(request)})

    @api.get("/openapi.json")
    def openapi(_: ApiRequest) -> Response[str]:
        return json_response(document, headers=SHORTLY)

    return api


app = compose()
api = routes(app.discovery, app.info)
lambda_handler = probed(api.handle, app.probes, invocation)
