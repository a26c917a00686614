"""A page of 25 of a community's 100,000 webhooks: the newest, and the last, which is page 3,999.

It is the use case as functions/webhooks composes it, for a caller without credentials in responses. DynamoDB
is stubbed below botocore by tables that hold all of the webhooks and count billed units. In timed runs
they respond with bytes that they made before: their own work is not in it.
"""

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from benchmarks import event_path
from benchmarks.figure import Chart, Goal, Measured, Reading
from benchmarks.paired import Work, cpu_of, cpu_ratios
from local.progress import Progress
from signing import Curve, PrivateKey
from tests.aws_stub.responses import Respond, stub_aws
from tests.aws_stub.tables import Tables, remembered
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.keys import (
    HEAD,
    NEXT,
    community_pk,
    entry_sk,
    listeners_pk,
    live_sk,
    tag_sk,
    webhook_sk,
)
from webhooks.adapters.dynamodb.sequence_bitmaps import (
    Head,
    bit_of,
    bitmap_to_bytes,
    counts_to_bytes,
    segment_of,
)
from webhooks.adapters.dynamodb.webhook_items import entry_attributes, webhook_attributes
from webhooks.bootstrap.webhooks import WebhooksApp, compose
from webhooks.domain.caller import ANY, AuthLevel, Caller, License
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook, sequence_of
from webhooks.services.idempotency import CommunityRequest
from webhooks.services.webhook_pages import WebhookPages

TITLE = "List: page 3,999 of 100,000 webhooks"
AGAINST = "page 0"
GOAL = Goal(3)
TOTAL = 100_000
PAGE = 25
LAST = TOTAL // PAGE - 1
LISTS = 100  # in one run
STEP = 40  # pages from one in the chart to the next: a segment of sequence numbers has 164
URL = "https://127.0.0.1:8443/hook"  # an address: no name is looked up
SECRETS = {"GetSecretValue": event_path.responses([])["GetSecretValue"]}
KEY = PrivateKey.derive(b"benchmark caller", b"", Curve.SECP256K1).public_key
CALLER = Caller(
    app_id="benchmark",
    request_uuid=None,
    public_key=KEY,
    license=License(AuthLevel.SERVICE, ANY, event_path.SCOPE.community_id),
    service_key=KEY,
    shared_key=bytes(32),
)
REQUEST = CommunityRequest(CALLER, event_path.SCOPE, "", 0)


def measure(progress: Progress) -> Measured:
    """Measure both pages, and draw those between."""
    tables = Tables(SECRETS)
    with progress.step(f"load {TOTAL:,} webhooks"):
        tables.load(event_path.SUBSCRIPTIONS, stored(webhooks(TOTAL)))
        gc.freeze()  # a function's own heap has no tables, which its collector would walk
    billed, timed = api(tables.response).pages, api(remembered(tables.response)).pages
    pages = [*range(0, LAST, STEP), LAST]
    with progress.step(f"{len(pages)} pages between page 0 and page {LAST:,}"):
        costs = {page: tables.cost(_lists(billed, page, times=1)) for page in pages}
        for page in pages:
            _lists(timed, page, times=1)()
        line = [(page, cpu_of(_lists(timed, page, times=20)) * 1000) for page in pages]
    with progress.step("paired runs"):
        ratios = cpu_ratios(_lists(timed, LAST), _lists(timed, 0))
    first, last = costs[0], costs[LAST]
    readings = [
        Reading("read units", [last.read_units / first.read_units], goal=GOAL),
        Reading("CPU time", ratios, goal=GOAL),
        Reading("calls", [last.calls / first.calls]),
    ]
    chart = Chart(
        "cpu",
        f"CPU of a page of {PAGE} webhooks",
        "page, the newest first",
        "CPU time (ms)",
        {f"a page of {PAGE}": line},
    )
    most = {name: max(getattr(cost, name) for cost in costs.values()) for name in ("calls", "read_units")}
    units = (
        f"Page 0 costs {first.calls:.0f} calls and {first.read_units:.0f} read units, page {LAST:,} "
        f"{last.calls:.0f} and {last.read_units:.0f}, none of the chart more than {most['calls']:.0f} and "
        f"{most['read_units']:.0f}: HEAD, the bitmap of a segment, {PAGE} webhooks."
    )
    cpu = (
        f"Page 0 takes {line[0][1]:.1f} ms of CPU, page {LAST:,} {line[-1][1]:.1f} ms, the costliest of the "
        f"chart {max(ms for _, ms in line):.1f} ms. It grows with the page's place in its segment of 4,096 "
        "sequence numbers, whose bits are taken one by one from the newest, and begins anew with the next."
    )
    remarks = [units, cpu]
    return Measured(readings, [chart], remarks)


def _lists(use_cases: WebhookPages, page: int, *, times: int = LISTS) -> Work:
    def lists() -> int:
        for _ in range(times):
            found, _ = use_cases.fetch(REQUEST, index=page, size=PAGE)
            if found.total != TOTAL or len(found.webhooks) != PAGE:
                raise AssertionError(found)
        return times

    return lists


def api(respond: Respond) -> WebhooksApp:
    """Compose functions/webhooks with these responses."""
    event_path.set_environment()
    app = compose()
    event_path.discard_log()
    stub_aws(app.aws, respond)
    return app


def webhooks(count: int, scope: Scope = event_path.SCOPE, **changes: Any) -> Iterator[Webhook]:
    """Make webhooks of one community, all of them listening to the benchmarks' event."""
    for number in range(1, count + 1):
        yield replace(event_path.webhook(number, URL, **changes), scope=scope)


def listening_to(webhook: Webhook, *names: str) -> Webhook:
    """Return the webhook as it would be had it asked for these events."""
    return replace(webhook, definition=replace(webhook.definition, event_names=names))


def stored(community: Iterable[Webhook]) -> Iterator[Item]:
    """Return the items that registering a community's webhooks, in their order, leaves in the table."""
    bitmaps: dict[str, int] = defaultdict(int)
    head, sequence, pk = Head(), 0, ""
    for webhook in community:
        pk, sequence = community_pk(webhook.scope), sequence_of(webhook.id) or 0
        segment = segment_of(sequence)
        yield key(pk, webhook_sk(sequence)) | webhook_attributes(webhook)
        for name in webhook.definition.event_names:
            yield key(listeners_pk(webhook.scope, name), entry_sk(sequence)) | entry_attributes(webhook)
        for sk in (live_sk(segment), *(tag_sk(tag, segment) for tag in webhook.definition.tags)):
            bitmaps[sk] |= bit_of(sequence)
        head = head.counted(segment, 1)
    for sk, bits in bitmaps.items():
        yield key(pk, sk) | {"bits": {"B": bitmap_to_bytes(bits)}}
    totals = {"version": {"N": str(head.version)}, "total": {"N": str(head.total)}}
    yield key(pk, HEAD) | totals | {"counts": {"B": counts_to_bytes(head.counts)}}
    yield key(pk, NEXT) | {"last": {"N": str(sequence)}}
