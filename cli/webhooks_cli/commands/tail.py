"""`webhooks tail`: deliveries as they happen."""

from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from webhooks_cli.community import Community
from webhooks_cli.context import CliContext
from webhooks_cli.delivery_text import delivery_line
from webhooks_cli.deployment import find_deployment
from webhooks_cli.errors import WrongUseError
from webhooks_cli.follow import Follower, Source, Sources, seconds
from webhooks_cli.log_options import parents
from webhooks_cli.options import add_command
from webhooks_cli.result import Line, Stream

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Show deliveries as they happen, a line for each change of one, until Ctrl-C: of the community, of one webhook
(--webhook), or of all communities (--all, with a system license for all of them). It asks the API in rounds
for the newest deliveries of up to 100 webhooks, and for the newest undelivered ones of all. The newest are
those of the latest events: a late delivery of an old event may not be among them.

examples:
  webhooks tail
  webhooks tail --webhook orders --json | jq -r .outcome
  webhooks tail --all --profile operations
"""


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands, "tail", run=run, summary="see deliveries as they happen", description=DESCRIPTION,
        parents=parents(),
    )  # fmt: skip
    parser.add_argument("--all", dest="everywhere", action="store_true", help="of all communities")
    parser.add_argument("--webhook", metavar="WEBHOOK", help="of one webhook, by its id or name")
    parser.add_argument(
        "--every", default="2", metavar="SECONDS", help="between two rounds (default: %(default)s)"
    )


def run(options: Namespace, context: CliContext) -> Stream:
    if options.everywhere and options.webhook:
        raise WrongUseError("--all is for all webhooks: not with --webhook")
    every = seconds(options.every)
    community = Community(find_deployment(options, context), context)
    sources = Sources(community, context)
    if options.webhook:
        listed: Callable[[], list[Source]] = partial(
            sources.of_webhook, community.webhook_id(options.webhook)
        )
    else:
        listed = sources.of_all if options.everywhere else sources.of_community
    changes = Follower(listed, context).follow(every=every)
    if options.everywhere:
        return Stream(_scoped(scope, delivery) for scope, delivery in changes)
    return Stream(Line(delivery, delivery_line(delivery)) for _, delivery in changes)


def _scoped(scope: str, delivery: dict[str, object]) -> Line:
    tenant_id, _, community_id = scope.partition("/")
    document = {"tenantId": tenant_id, "communityId": community_id, **delivery}
    return Line(document, delivery_line(delivery, scope=scope))
