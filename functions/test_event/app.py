"""functions/test_event: sends a test event to one webhook at once, and responds with how it went."""

from webhooks.bootstrap.runtime import invocation
from webhooks.bootstrap.test_event import compose
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.powertools import Response
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi, json_response
from webhooks.entrypoints.api.schemas.test_event import SendTestIn
from webhooks.entrypoints.api.schemas.validate import read
from webhooks.entrypoints.api.test_event_response import sent_test
from webhooks.entrypoints.probe import probed
from webhooks.services.tenant_throttle import COSTLY
from webhooks.services.test_event import WebhookTests
from webhooks.services.webhooks import require_webhook_id


def routes(authenticator: Authenticator, tests: WebhookTests) -> RestApi:
    """Return the API over the use case."""
    api = RestApi(invocation)

    @api.post("/tenant/<tenant_id>/community/<community_id>/webhook/<webhook_id>/test")
    def send(request: ApiRequest, tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=COSTLY)
        require_webhook_id(webhook_id)
        asked = read(SendTestIn, request.json_object() if request.body else {})
        sent = tests.send(authorized.scope, webhook_id, event_name=asked.event_name, data=asked.data)
        return json_response(sent_test(sent))

    return api


app = compose()
api = routes(app.authenticator, app.tests)
lambda_handler = probed(api.handle, app.probes, invocation)
