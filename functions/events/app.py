"""functions/events: publishes events over HTTPS, as the platform's clients do."""

from webhooks.bootstrap.events import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.event_names import event_name
from webhooks.entrypoints.api.powertools import Response
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi, accepted
from webhooks.entrypoints.api.schemas.publish import PublishIn
from webhooks.entrypoints.api.schemas.validate import read
from webhooks.entrypoints.probe import probed
from webhooks.services.publishing import Publication, Publishing

EVENT = "/tenant/{}/community/{}/event/"


def routes(authenticator: Authenticator, publishing: Publishing) -> RestApi:
    """Return the API over the use case."""
    api = RestApi(invocation)

    # A `<name>` matches neither slashes nor quotes, but an event's name may have them, decoded by a gateway.
    @api.put(EVENT.format("<tenant_id>", "<community_id>") + "[^\n]+")
    def publish(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        body = request.json_text(at_most=limits.EVENT_BODY_BYTES)
        asked = read(PublishIn, body.values)
        published = publishing.publish(
            authorized,
            Publication(
                name=event_name(request.path, after=EVENT.format(tenant_id, community_id)),
                data=body.copy_of("data"),
                event_id=asked.event_id,
                occurred_at=asked.occurred_at,
            ),
        )
        return accepted({"eventId": published})

    return api


app = compose()
api = routes(app.authenticator, app.publishing)
lambda_handler = probed(api.handle, app.probes, invocation)
