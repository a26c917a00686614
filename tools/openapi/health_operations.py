"""Operations that show the health of endpoints, and the deployment's communities."""

from tools.openapi import examples, health_examples
from tools.openapi.operations import COMMUNITY, ONE, SCOPED, SIGNED, WEBHOOK, WEBHOOKS, WITH_BODY, Operation
from webhooks.entrypoints.api.schemas.health import WebhooksHealthIn
from webhooks.entrypoints.api.schemas.health_out import (
    CommunitiesOut,
    CommunityHealthOut,
    SeriesOut,
    ShownWebhookOut,
    WebhooksHealthOut,
)

HEALTH, COMMUNITIES = "Health", "Communities"

HEALTH_OPERATIONS = (
    Operation(
        id="getWebhook",
        method="get",
        path=WEBHOOK,
        tag=WEBHOOKS,
        summary="Get a webhook with its health.",
        text="The webhook as a page has it, the states that hold, the last 20 changes of state, and figures "
        "of its last 100 deliveries but tests. Only a system license gets its credential.",
        parameters=ONE,
        signed=True,
        response=ShownWebhookOut,
        example=health_examples.SHOWN_WEBHOOK,
        errors=SIGNED,
    ),
    Operation(
        id="getWebhooksHealth",
        method="post",
        path=f"{COMMUNITY}/webhooks/health",
        tag=HEALTH,
        summary="Get the health of several webhooks.",
        text="What a list shows of each: state, held deliveries, figures and pairs of the last 100. Webhooks "
        "that do not exist are left out.",
        parameters=SCOPED,
        signed=True,
        body=WebhooksHealthIn,
        bodies={"one": {"webhookIds": [examples.WEBHOOK_ID]}},
        response=WebhooksHealthOut,
        example=health_examples.WEBHOOKS_HEALTH,
        errors=WITH_BODY,
    ),
    Operation(
        id="getCommunityHealth",
        method="get",
        path=f"{COMMUNITY}/health",
        tag=HEALTH,
        summary="Get the health of a community.",
        text="Webhooks by state, undelivered deliveries by outcome, and the oldest of these. Counts of up to "
        "2000 webhooks that are not healthy and 10000 deliveries of an outcome are exact; a change of state "
        "is in them within a second or so.",
        parameters=SCOPED,
        signed=True,
        response=CommunityHealthOut,
        example=health_examples.COMMUNITY_HEALTH,
        errors=SIGNED,
    ),
    Operation(
        id="getSeries",
        method="get",
        path=f"{WEBHOOK}/series",
        tag=HEALTH,
        summary="Get a webhook's deliveries over time.",
        text="Outcomes, and latency by phase, in at most 60 buckets by the times of the events. It covers "
        "the last 1000 deliveries of the time that is asked for, but tests; `since` and `until` of the "
        "response say which time that is.",
        parameters=(*ONE, "since", "until"),
        signed=True,
        response=SeriesOut,
        example=health_examples.SERIES,
        errors=SIGNED,
    ),
    Operation(
        id="getCommunities",
        method="get",
        path="/communities",
        tag=COMMUNITIES,
        summary="Get the communities that have or had webhooks.",
        text="A page at a time, in no order that means anything. A community whose webhooks an earlier "
        "release stored is missing until one of them changes. The license is as for `/servicekeys`.",
        parameters=("cursor", "size"),
        signed=True,
        response=CommunitiesOut,
        example=health_examples.COMMUNITIES,
        errors=SIGNED,
    ),
)
