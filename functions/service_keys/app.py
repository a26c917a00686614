"""functions/service_keys: callers with an unscoped system license list and reset the service's key pairs."""

from webhooks.bootstrap.runtime import invocation
from webhooks.bootstrap.service_keys import compose
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.powertools import Response
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi, json_response
from webhooks.entrypoints.api.service_key_ids import key_id
from webhooks.entrypoints.api.service_key_responses import ServiceKeyResponses
from webhooks.entrypoints.probe import probed
from webhooks.services.service_keys import ServiceKeys

ONE_KEY = "/servicekey/"


def routes(
    authenticator: Authenticator, service_keys: ServiceKeys, responses: ServiceKeyResponses
) -> RestApi:
    """Return the API over the use cases."""
    api = RestApi(invocation)

    @api.get("/servicekeys")
    def fetch(request: ApiRequest) -> Response[str]:
        caller = authenticator.operator(request)
        return json_response(responses.pairs(caller, service_keys.list()))

    # A `<name>` matches no slash, but base64 may have several, which a gateway may have decoded.
    @api.delete(f"{ONE_KEY}[^?]+")
    def reset(request: ApiRequest) -> Response[str]:
        caller = authenticator.operator(request)
        wanted = key_id(request.path, after=ONE_KEY)
        fresh = service_keys.reset(wanted, idempotency_key=authenticator.idempotency_key(caller, request))
        return json_response(responses.pairs(caller, [fresh]))

    return api


app = compose()
api = routes(app.authenticator, app.service_keys, app.responses)
lambda_handler = probed(api.handle, app.probes, invocation)
