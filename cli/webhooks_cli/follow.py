"""Follows delivery logs: polls the API, and yields each delivery when it changed, in bounded memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from webhooks_cli.community import PAGE_SIZE, BusyError, Community, in_path
from webhooks_cli.context import CliContext
from webhooks_cli.errors import UnreachableError, WrongUseError

FEW = 10  # logs of which a whole page is asked for in each round
SMALL_PAGE = 25  # of more logs: a page costs by its deliveries
SEEN_MAX = 20_000  # deliveries that are remembered as shown
WEBHOOKS_MAX = 100  # webhooks that are asked for one by one
COMMUNITIES_MAX = 100
PAGES_MAX = 5  # of one log in one round
ROUNDS_BETWEEN_LISTS = 30
FAULTS_MAX = 30  # rounds in a row that may fail

Delivery = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A log to follow: of a webhook, or the undelivered of a community."""

    community: Community
    path: str


@dataclass(slots=True)
class Followed:
    """The state of `follow`: shown deliveries by id, each with the time of its last change."""

    seen: OrderedDict[str, str] = field(default_factory=OrderedDict)
    begun: str | None = None  # the newest change before the first line

    def is_new(self, delivery: Delivery) -> bool:
        """Tell whether this change of a delivery was not shown yet, and remember it."""
        id_, changed = delivery["deliveryId"], delivery["settledAt"]
        known = self.seen.get(id_)
        self.seen[id_] = changed
        self.seen.move_to_end(id_)
        while len(self.seen) > SEEN_MAX:
            self.seen.popitem(last=False)
        return known != changed and (self.begun is None or changed > self.begun)


class Follower:
    """Follows one webhook, a community, or all communities; `sources` lists their logs."""

    def __init__(self, sources: Callable[[], Sequence[Source]], context: CliContext) -> None:
        self._sources = sources
        self._context = context
        self._followed = Followed()

    def follow(self, *, every: float) -> Iterator[tuple[str, Delivery]]:
        """Yield (tenant/community, delivery) for each change from now on, in order of their times.

        A round that fails is told on stderr and tried again. Raises CliError where it cannot succeed, and
        UnreachableError or BusyError after FAULTS_MAX failed rounds.
        """
        faults = rounds = 0
        sources: Sequence[Source] = ()
        while True:
            changes: list[tuple[str, Delivery]] = []
            try:
                if rounds % ROUNDS_BETWEEN_LISTS == 0:
                    sources = self._sources()
                size = PAGE_SIZE if len(sources) <= FEW else SMALL_PAGE
                for source in sources:
                    changes += self._changes(source, size)
                rounds += 1
                faults = 0
            except (UnreachableError, BusyError) as error:
                faults += 1
                if faults == FAULTS_MAX:
                    raise
                print(f"{error}; trying again", file=self._context.stderr, flush=True)
            if self._followed.begun is not None:
                yield from sorted(changes, key=lambda each: str(each[1]["settledAt"]))
            elif rounds:  # the first round that is complete: its deliveries are older than this command
                self._followed.begun = max(self._followed.seen.values(), default="")
            self._context.sleep(every * (1 + faults))

    def _changes(self, source: Source, size: int) -> Iterator[tuple[str, Delivery]]:
        """Yield changes of the newest deliveries; more pages only where one has some.

        The order of a log is that of its events' times, which can be long past: there is no bound by time.
        """
        pages = source.community.pages(source.path, {"size": size})
        for page in islice(pages, PAGES_MAX):
            new = [each for each in page["data"] if self._followed.is_new(each)]
            yield from ((source.community.name, each) for each in new)
            if not new:
                return


class Sources:
    """Lists the logs to follow; a bound that leaves some out is told on stderr, once."""

    def __init__(self, community: Community, context: CliContext) -> None:
        self._community = community
        self._stderr = context.stderr
        self._told: set[str] = set()

    def of_webhook(self, webhook_id: str) -> list[Source]:
        return [_log_of(self._community, webhook_id)]

    def of_community(self) -> list[Source]:
        return self._of_communities([self._community])

    def of_all(self) -> list[Source]:
        """Return the logs of all communities, as many as are followed at a time."""
        page = self._community.get(f"/communities?size={COMMUNITIES_MAX}")
        if page.get("cursor"):
            self._tell(f"the first {COMMUNITIES_MAX} communities are followed")
        return self._of_communities(
            [self._community.other(each["tenantId"], each["communityId"]) for each in page["data"]]
        )

    def _of_communities(self, communities: Sequence[Community]) -> list[Source]:
        sources = [Source(each, "deliveries/fetch") for each in communities]
        left = WEBHOOKS_MAX
        for community in communities:
            fetched = community.post("webhooks/fetch", {"pSize": PAGE_SIZE})
            ids = [each["_id"] for each in fetched["data"]]
            sources += [_log_of(community, each) for each in ids[:left]]
            if len(ids) > left or len(ids) == PAGE_SIZE:
                self._tell(
                    f"{WEBHOOKS_MAX} webhooks are followed in full, of all others their undelivered "
                    "deliveries: --webhook follows one of them"
                )
                break
            left -= len(ids)
        return sources

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            print(text, file=self._stderr, flush=True)


def _log_of(community: Community, webhook_id: str) -> Source:
    return Source(community, f"webhook/{in_path(webhook_id)}/deliveries/fetch")


def seconds(text: str) -> float:
    """Read the time between two rounds. Raises WrongUseError."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.2 <= value <= 3600:  # noqa: PLR2004 - said in the text
        raise WrongUseError(f"--every takes seconds from 0.2 to 3600, not {text}")
    return value
