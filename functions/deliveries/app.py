"""functions/deliveries: the delivery log, explained events, replays, the health of endpoints, communities."""

from webhooks.bootstrap.deliveries import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.domain.replay import Replay
from webhooks.entrypoints.api import delivery_responses as responses
from webhooks.entrypoints.api import health_responses, limits, replay_responses
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.explanation_responses import explanation_page
from webhooks.entrypoints.api.powertools import Response
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi, accepted, json_response
from webhooks.entrypoints.api.schemas.deliveries import DeliveriesIn, UndeliveredIn, cursor_of
from webhooks.entrypoints.api.schemas.explain import ExplainIn
from webhooks.entrypoints.api.schemas.explain import cursor_of as explained_cursor_of
from webhooks.entrypoints.api.schemas.health import CommunitiesIn, SeriesIn, WebhooksHealthIn
from webhooks.entrypoints.api.schemas.replays import ReplayIn, ReplaysIn
from webhooks.entrypoints.api.schemas.replays import cursor_of as replays_cursor
from webhooks.entrypoints.api.schemas.validate import read
from webhooks.entrypoints.probe import probed
from webhooks.ports import Communities
from webhooks.services.delivery_log import DeliveryLogs
from webhooks.services.endpoint_health import EndpointHealth
from webhooks.services.explanation import Explanations
from webhooks.services.replays import TenantReplays
from webhooks.services.tenant_throttle import COSTLY, HEAVY

COMMUNITY = "/tenant/<tenant_id>/community/<community_id>"
WEBHOOK = f"{COMMUNITY}/webhook/<webhook_id>"


def routes(
    authenticator: Authenticator,
    *,
    log: DeliveryLogs,
    explanations: Explanations,
    health: EndpointHealth,
    communities: Communities,
    replays: TenantReplays,
) -> RestApi:
    """Return the API over the use cases."""
    api = RestApi(invocation)
    log_routes(api, authenticator, log=log)
    explain_routes(api, authenticator, explanations=explanations)
    replay_routes(api, authenticator, replays=replays)
    health_routes(api, authenticator, health=health)
    community_routes(api, authenticator, communities=communities)
    return api


def log_routes(api: RestApi, authenticator: Authenticator, *, log: DeliveryLogs) -> None:
    """Add the delivery log's routes."""

    @api.post(f"{WEBHOOK}/deliveries/fetch")
    def fetch(request: ApiRequest, tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=COSTLY)
        asked = read(DeliveriesIn, request.json_object() if request.body else {})
        query = asked.query(authorized.scope, webhook_id)
        page = log.page(query, after=asked.after(query), size=asked.page_size, reach=asked.reach(query))
        return json_response(responses.deliveries_page(page, cursor=cursor_of(query, page)))

    @api.post(f"{COMMUNITY}/deliveries/fetch")
    def fetch_undelivered(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=COSTLY)
        asked = read(UndeliveredIn, request.json_object() if request.body else {})
        query = asked.query(authorized.scope)
        page = log.page(query, after=asked.after(query), size=asked.page_size)
        return json_response(responses.deliveries_page(page, cursor=cursor_of(query, page)))

    @api.get(f"{COMMUNITY}/delivery/<delivery_id>")
    def delivery(request: ApiRequest, tenant_id: str, community_id: str, delivery_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        return json_response(responses.delivery(log.get(authorized.scope, delivery_id)))


def replay_routes(api: RestApi, authenticator: Authenticator, *, replays: TenantReplays) -> None:
    """Add the routes of replays."""

    @api.post(f"{COMMUNITY}/deliveries/replay")
    def begin(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=HEAVY)
        asked = read(ReplayIn, request.json_object())
        wanted = asked.wanted(authorized.scope)
        if asked.dry_run:
            return json_response(replay_responses.count_fields(replays.count(authorized.scope, wanted)))
        begun = replays.begin(authorized, wanted)
        if isinstance(begun, Replay):
            return accepted(replay_responses.replay_fields(begun))
        return json_response(replay_responses.count_fields(begun))

    @api.get(f"{COMMUNITY}/replays")
    def fetch_replays(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        asked = read(ReplaysIn, request.query_fields())
        scope = authorized.scope
        found, last = replays.page(scope, after=asked.after(scope), size=asked.page_size)
        return json_response(replay_responses.replays_page(found, cursor=replays_cursor(scope, last)))

    @api.get(f"{COMMUNITY}/replay/<replay_id>")
    def show(request: ApiRequest, tenant_id: str, community_id: str, replay_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        return json_response(replay_responses.replay_fields(replays.get(authorized.scope, replay_id)))

    @api.delete(f"{COMMUNITY}/replay/<replay_id>")
    def cancel(request: ApiRequest, tenant_id: str, community_id: str, replay_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id)
        return json_response(replay_responses.replay_fields(replays.cancel(authorized.scope, replay_id)))


def explain_routes(api: RestApi, authenticator: Authenticator, *, explanations: Explanations) -> None:
    """Add the route that explains events."""

    @api.post(f"{COMMUNITY}/events/explain")
    def explain(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=COSTLY)
        body = request.json_text(at_most=limits.EVENT_BODY_BYTES)
        asked = read(ExplainIn, body.values)
        question = asked.question(authorized.scope, body)
        page = explanations.page(question, asked.place(question))
        cursor = explained_cursor_of(question, page.following)
        return json_response(explanation_page(question, page, cursor=cursor))


def health_routes(api: RestApi, authenticator: Authenticator, *, health: EndpointHealth) -> None:
    """Add the routes of endpoints' health."""

    @api.post(f"{COMMUNITY}/webhooks/health")
    def several(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=HEAVY)
        asked = read(WebhooksHealthIn, request.json_object())
        shown = health.several(authorized.scope, asked.webhook_ids)
        return json_response(health_responses.webhooks_health(shown))

    @api.get(f"{COMMUNITY}/health")
    def community(request: ApiRequest, tenant_id: str, community_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=HEAVY)
        return json_response(health_responses.community_health(health.community(authorized.scope)))

    @api.get(f"{WEBHOOK}/series")
    def series(request: ApiRequest, tenant_id: str, community_id: str, webhook_id: str) -> Response[str]:
        authorized = authenticator.community(request, tenant_id, community_id, cost=COSTLY)
        asked = read(SeriesIn, request.query_fields())
        asked.require_order()
        shown = health.series(authorized.scope, webhook_id, since=asked.since, until=asked.until)
        return json_response(health_responses.series(shown))


def community_routes(api: RestApi, authenticator: Authenticator, *, communities: Communities) -> None:
    """Add the route of the deployment's communities."""

    @api.get("/communities")
    def fetch(request: ApiRequest) -> Response[str]:
        authenticator.operator(request)
        asked = read(CommunitiesIn, request.query_fields())
        page = communities.page(after=asked.after, size=asked.page_size)
        return json_response(health_responses.communities(page, size=asked.page_size))


app = compose()
api = routes(
    app.authenticator,
    log=app.log,
    explanations=app.explanations,
    health=app.health,
    communities=app.communities,
    replays=app.replays,
)
lambda_handler = probed(api.handle, app.probes, invocation)
