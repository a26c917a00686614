"""The invariants of a drained deployment, checked from outside: by its endpoints, its queues and its log."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.simulation.history import Invocation, Publication, ReceivedCall
from tests.simulation.queue_orders import Message
from tests.simulation.queues import Queue
from tests.simulation.simulation import Simulation
from tests.simulation.tenants import INDEX, ONE, OTHER
from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.delivery_log import LogEntry, Outcome
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import MalformedPackError, UnavailableError
from webhooks.domain.event_slice import is_slice, parse_slice
from webhooks.domain.recovery_message import decode_task
from webhooks.domain.replay import ReplayState, WebhookCheck
from webhooks.domain.seen_events import LATE
from webhooks.domain.webhook import AuthType, Credential, Webhook
from webhooks.services.recovery.stops import is_troubled

RELEASED_TWICE = "released twice at the same time"


class Invariants:
    """Checks a simulation that has drained. `is_clean`: without faults and without repeated messages."""

    def __init__(self, simulation: Simulation, *, is_clean: bool) -> None:
        self.simulation = simulation
        self.history = simulation.history
        self.is_clean = is_clean
        self.repeats: Counter[str] = Counter()  # calls, by why they were made again
        self.calls: dict[str, list[ReceivedCall]] = defaultdict(list)
        for call in self.history.calls:
            self.calls[call.delivery_id].append(call)
        self.dead: dict[str, list[Message]] = defaultdict(list)
        for message in simulation.dead.messages:
            for each in _delivery_ids(message):
                self.dead[each].append(message)
        self.events_dlq = {
            self._published(message.text): message for message in simulation.events_dead.messages
        }
        self.slices: dict[str, list[str]] = defaultdict(list)
        for message_id, event_id in self.history.slices.items():
            self.slices[event_id].append(message_id)
        self.log: dict[str, LogEntry] = {entry.delivery.id: entry for entry in simulation.log.entries()}
        self.webhooks = {
            webhook_id: simulation.subscriptions.now(webhook_id) for webhook_id in self.history.revisions
        }
        self.known = {
            publication.delivery_to(webhook_id): (publication, webhook_id)
            for publication in reversed(self.history.publications)
            if publication.event is not None
            for webhook_id in self.history.revisions
        }

    def violations(self) -> list[str]:
        return [
            *self._failures(),
            *self._losses(),
            *self._wrong_calls(),
            *self._duplicates(),
            *self._wrong_dead_letters(),
            *self._wrong_log(),
            *self._wrong_backlog(),
            *self._endless_backlogs(),
            *self._wrong_replays(),
        ]

    def _failures(self) -> Iterator[str]:
        """No fault ends an invocation, for that costs its whole batch."""
        for invocation in self.history.invocations:
            if not invocation.is_over:
                yield f"invocation {invocation.number} never ended"
            elif invocation.failure is not None and not self._may_fail(invocation):
                yield f"invocation {invocation.number} failed as a whole: {invocation.failure!r}"
        for queue in self.simulation.queues:
            if queue.messages and not self._may_wait(queue):
                yield f"{queue.name} still has messages"

    def _may_fail(self, invocation: Invocation) -> bool:
        """Tell whether an invocation may fail: one of a schedule has no batch, and the next run does its work."""
        is_outage = isinstance(invocation.failure, UnavailableError)
        return invocation.is_killed or (invocation.function == "maintenance" and is_outage)

    def _may_wait(self, queue: Queue) -> bool:
        """Tell whether the queue's messages are the timers of webhooks whose endpoint is not well."""
        if queue is not self.simulation.recovery:
            return False
        tasks = [decode_task(message.text) for message in queue.messages]
        return all(
            isinstance(task, WebhookCheck) and self.webhooks[task.webhook_id] is not None for task in tasks
        )

    def _losses(self) -> Iterator[str]:
        """Every matching delivery ends delivered, dead-lettered or skipped; no invalid event disappears."""
        for publication in self.history.publications:
            dead = self.events_dlq.get(publication.text)
            acknowledged = self.history.acknowledged.get(publication.message_id)
            if publication.event is None:
                if dead is None or (dead.reason is None and self.is_clean):
                    yield f"the invalid event {publication.text[:40]} is not dead-lettered with a reason"
                continue
            parts = [self.history.acknowledged.get(part) for part in self._slices_of(publication)]
            if None in parts and dead is None and not self.simulation.events.repeated:
                yield f"a slice of event {publication.message_id} is neither acknowledged nor dead-lettered"
            if acknowledged is None:
                if dead is None and publication.message_id not in self.simulation.events.repeated:
                    yield f"event {publication.message_id} is neither acknowledged nor dead-lettered"
                continue
            for webhook_id in self.history.revisions:
                done = max([acknowledged, *(part for part in parts if part is not None)])
                if self._is_wanted(publication, webhook_id, done):
                    yield from self._loss(publication, webhook_id)

    def _published(self, text: str) -> str:
        """Return the text that a producer published; a slice is a part of it."""
        if not is_slice(text):
            return text
        event_id = parse_slice(text).event.id
        return next(
            each.text
            for each in self.history.publications
            if each.event and each.event["eventId"] == event_id
        )

    def _is_in_dead_slice(self, event_id: str, webhook_id: str) -> bool:
        sequence = int(webhook_id[8:16], 16)
        dead = [
            parse_slice(each.text) for each in self.simulation.events_dead.messages if is_slice(each.text)
        ]
        return any(
            part.event.id == event_id
            and part.span.first <= sequence
            and (part.span.last is None or sequence <= part.span.last)
            for part in dead
        )

    def _slices_of(self, publication: Publication) -> list[str]:
        assert publication.event is not None
        return self.slices.get(publication.event["eventId"], [])

    def _is_wanted(self, publication: Publication, webhook_id: str, until: int) -> bool:
        """Tell whether the webhook wanted the event from its acceptance until fan-out was done with it."""
        seen = self.history.revisions[webhook_id][0].seen
        if seen is None or seen > publication.tick:
            return False
        states = self.history.seen_states(webhook_id, publication.tick, until)
        return all(_wants(webhook, publication) for webhook in states)

    def _loss(self, publication: Publication, webhook_id: str) -> Iterator[str]:
        assert publication.event is not None
        one = publication.delivery_to(webhook_id)
        if one in self.dead or any(call.is_success for call in self.calls[one]):
            return
        if one in self.log and self.log[one].outcome is Outcome.HELD:  # see _wrong_backlog
            return
        if (webhook_id, INDEX) in self.history.broken and publication.text in self.events_dlq:
            return
        if self._is_in_dead_slice(publication.event["eventId"], webhook_id):
            return
        states = self.history.seen_states(webhook_id, publication.tick, self.simulation.tick)
        if all(webhook is not None and webhook.enabled for webhook in states):
            yield f"LOST: {publication.event['eventId']} for {webhook_id} ({one})"

    def _wrong_calls(self) -> Iterator[str]:
        """Only webhooks that want the event are called, as they are registered; no other sees it."""
        for call in self.history.calls:
            if call.delivery_id not in self.known:
                yield f"a delivery that no webhook wants: {call.delivery_id}"
                continue
            publication, webhook_id = self.known[call.delivery_id]
            assert publication.event is not None
            since_accepted = self.history.seen_states(webhook_id, publication.tick, call.tick)
            since_read = self.history.states(webhook_id, call.invocation.started, call.tick)
            if not any(_wants(webhook, publication) for webhook in since_accepted):
                yield f"{call.delivery_id}: the webhook never wanted it"
            if not any(webhook and self._fits(call, webhook) for webhook in since_read):
                yield f"{call.delivery_id}: called as the webhook was not registered then"
            wanted = {
                "id": "eventId",
                "type": "eventName",
                "tenantId": "tenantId",
                "communityId": "communityId",
            }
            if any(call.body[sent] != publication.event[name] for sent, name in wanted.items()):
                yield f"{call.delivery_id}: another event's body"
            retries = [webhook.definition.retry_count for webhook in since_accepted if webhook]
            if call.attempt > max(retries, default=0) + 1 + self.history.releases[call.delivery_id]:
                yield f"{call.delivery_id}: attempt {call.attempt} is one too many"
            yield from self._called_while_held(call)

    def _called_while_held(self, call: ReceivedCall) -> Iterator[str]:
        """What is held is not attempted before its release, and an endpoint that is down sees probes alone."""
        if call.known is Outcome.HELD and call.releases == {""}:
            yield f"{call.delivery_id}: held, but attempted without a release"
        if call.webhook is None or ReleaseKind.PROBE in call.releases:
            return
        if call.webhook.definition.paused or call.webhook.health.held_since is not None:
            yield f"{call.delivery_id}: attempted while its webhook holds"

    def _fits(self, call: ReceivedCall, webhook: Webhook) -> bool:
        endpoint = webhook.definition.endpoint
        if not webhook.enabled or (call.url, call.method) != (endpoint.url, endpoint.method):
            return False
        if endpoint.auth_type is AuthType.OAUTH2:
            return call.authorization is not None
        credential = self.history.credentials[webhook.credential] if webhook.credential else Credential()
        return call.authorization == (credential.token and f"Bearer {credential.token}")

    def _duplicates(self) -> Iterator[str]:
        """A delivery is sent again only where the sender could not know that it was sent."""
        for one, calls in self.calls.items():
            for position, call in enumerate(calls):
                if call.seen >= call.attempt:
                    yield f"{one}: attempt {call.attempt} again, though the log had it"
                for earlier in calls[:position]:
                    if self._was_recorded(one, earlier.invocation, call):
                        yield f"{one}: sent again at tick {call.tick}, though it was in the log"
                    if earlier.attempt < call.attempt and not earlier.is_success:
                        continue
                    if earlier.attempt < call.attempt and ReleaseKind.REPLAY in call.releases:
                        continue
                    why = self._cause_of_repeat(one, earlier.invocation, call)
                    self.repeats[why or "no reason"] += 1
                    if why is None or (self.is_clean and why != RELEASED_TWICE):
                        yield f"{one}: sent again at tick {call.tick} after {earlier.tick}, cause: {why}"

    def _was_recorded(self, one: str, earlier: Invocation, call: ReceivedCall) -> bool:
        """Tell whether a call's invocation found nothing in the log of what was recorded before it read it.

        An invocation that began first has the first receive of a message: its delivery is not looked for. Nor is
        that of a message that says of an attempt (a retry), which was no plain delivery.
        """
        recorded, read = earlier.recorded.get(one), call.read_at
        if recorded is None or read is None or earlier.started > call.invocation.started:
            return False
        if self._is_out_of_order(one, earlier, call):
            return False
        return call.attempt == 1 and call.known is None and recorded <= read

    def _is_out_of_order(self, one: str, earlier: Invocation, call: ReceivedCall) -> bool:
        """Tell whether a pack was sent before an event was marked, but is received after the pack of the mark.

        Within LATE it is not looked for.
        """
        sent, before = self._sent_at(one, call.invocation), self._sent_at(one, earlier)
        return sent is not None and before is not None and sent <= before and call.at - sent <= LATE / 1000

    def _sent_at(self, one: str, invocation: Invocation) -> float | None:
        """Return when the first of an invocation's packs with a delivery was sent."""
        packs = [self.history.packs.get(each) for each in invocation.messages]
        return min((at for at, ids in filter(None, packs) if one in ids), default=None)

    def _cause_of_repeat(self, one: str, earlier: Invocation, call: ReceivedCall) -> str | None:
        """Return why a call could not know of an earlier invocation's; None: it could."""
        if one in earlier.unrecorded:
            return "the log was not written"
        if one in earlier.untaken:
            return "a queue did not take it"
        if one not in earlier.recorded:
            return "killed before the log was written" if earlier.is_killed else None
        if earlier is call.invocation:
            return None
        if self._came_twice(one):
            return "two of its messages at the same time"
        return RELEASED_TWICE if self.history.releases[one] else None

    def _came_twice(self, one: str) -> bool:
        """Tell whether more than one message could bring the delivery at a time."""
        publication, _ = self.known[one]
        assert publication.event is not None
        return (
            publication.event["eventId"] in self.history.repeated_events
            or bool(self.history.faults)
            or any(queue.repeated for queue in self.simulation.queues)
        )

    def _wrong_dead_letters(self) -> Iterator[str]:
        """Only broken webhooks and events are dead-lettered."""
        for one, messages in self.dead.items():
            for message in messages:
                reason = message.reason
                if reason is None:
                    if self.is_clean:
                        yield f"{one}: redriven to the dead-letter queue though nothing went wrong"
                    continue
                failed = [call for call in self.calls[one] if not call.is_success]
                if reason.startswith(("HTTP", "no answer", "endpoint gone")):
                    if not failed:
                        yield f"{one}: dead ({reason}), but its endpoint never failed"
                elif not self._is_broken(one, reason):
                    yield f"{one}: dead ({reason}), but its webhook is not broken"
        for message in self.simulation.events_dead.messages:
            published = self._published(message.text)
            is_event = any(each.event and each.text == published for each in self.history.publications)
            if is_event and not self._is_explained(message):
                yield f"a good event is dead: {message.reason}"

    def _is_explained(self, dead_event: Message) -> bool:
        if dead_event.reason is None:
            return not self.is_clean
        return INDEX in dead_event.reason and any(how == INDEX for _, how in self.history.broken)

    def _is_broken(self, one: str, reason: str) -> bool:
        return one in self.known and any(
            webhook_id == self.known[one][1] and how in reason for webhook_id, how in self.history.broken
        )

    def _wrong_log(self) -> Iterator[str]:
        """The log holds only attempts that were made; without faults, all of them."""
        for one, entry in self.log.items():
            statuses = [(call.attempt, getattr(call.outcome, "status", None)) for call in self.calls[one]]
            first = entry.delivery.earlier + 1
            logged = [
                (number, attempt.status) for number, attempt in enumerate(entry.delivery.attempts, first)
            ]
            if not set(logged) <= set(statuses):
                yield f"{one}: the log has attempts that were not made: {logged}, {statuses}"
            if entry.outcome is Outcome.DELIVERED and not any(call.is_success for call in self.calls[one]):
                yield f"{one}: logged as delivered, but it is not"
            if entry.outcome is Outcome.DEAD and one not in self.dead and not self._has_ended(entry):
                yield f"{one}: logged as dead, but it is in no dead-letter queue"
            made = [each for each in statuses if each[1] != 401 and each[0] >= first]
            if self.is_clean and not self._is_released_twice(one) and logged != made:
                yield f"{one}: the log has {logged}, the endpoint got {statuses}"
            if self.is_clean and entry.outcome is Outcome.RETRYING:
                yield f"{one}: logged as retrying, but its queue is empty"
        if self.is_clean:
            yield from (
                f"{one}: called, but not logged"
                for one in self.calls
                if self.calls[one] and one not in self.log
            )

    def _has_ended(self, entry: LogEntry) -> bool:
        """Tell whether a delivery was held until its webhook was disabled: the log alone knows of its end."""
        webhook = self.webhooks[entry.key.webhook_id]
        return webhook is None or (not webhook.enabled and bool(entry.reason))

    def _is_released_twice(self, one: str) -> bool:
        attempts = Counter(call.attempt for call in self.calls[one])
        return self.history.releases[one] > 1 and max(attempts.values(), default=0) > 1

    def _wrong_backlog(self) -> Iterator[str]:
        """Deliveries wait only while their webhook takes none; the log has the payload of each.

        Once an endpoint is well nothing is held or recoverable.
        """
        for one, entry in self.log.items():
            is_backlog = entry.outcome is Outcome.HELD or entry.is_recoverable
            webhook = self.webhooks[entry.key.webhook_id]
            if not is_backlog or webhook is None:
                continue
            if not entry.has_payload or entry.key not in self.simulation.log.payloads([entry.key]):
                yield f"{one}: {entry.outcome}, and its payload is gone"
            if (webhook.id, "cannot be read") in self.history.broken:
                continue
            if not _is_waiting(webhook):
                yield f"{one}: {entry.outcome}, though its webhook waits for nothing: {webhook.health}"
            elif not webhook.definition.paused and self._is_well(webhook):
                yield f"{one}: {entry.outcome}, though its endpoint is well: {webhook.health}"

    def _endless_backlogs(self) -> Iterator[str]:
        """A webhook has the mark of a backlog while it waits or is probed."""
        for webhook in self.webhooks.values():
            if webhook is None or (webhook.id, "cannot be read") in self.history.broken:
                continue
            is_probed = is_troubled(webhook) and webhook.health.probe_at is not None
            if webhook.health.backlog_since is None or _is_waiting(webhook):
                continue
            if not is_probed or self._is_well(webhook):
                yield f"{webhook.id}: marked to have a backlog for ever: {webhook.health}"

    def _wrong_replays(self) -> Iterator[str]:
        """Each replay ends, and what it says of its deliveries adds up."""
        for scope in (ONE, OTHER):
            for replay in self.simulation.replays.newest(scope, after=None, size=1000):
                if replay.is_running and replay.kind is ReleaseKind.REPLAY:
                    yield f"replay {replay.id} never ended: {replay}"
                found = replay.sent + replay.without_payload + replay.passed_over
                if replay.state is ReplayState.DONE and found != replay.total:
                    yield f"replay {replay.id} does not add up: {replay}"

    def _is_well(self, webhook: Webhook) -> bool:
        return self.simulation.endpoints.behaviours[webhook.definition.endpoint.url] in ("ok", "slow")


def _is_waiting(webhook: Webhook) -> bool:
    health = webhook.health
    is_down = health.failing_since is not None or health.held_since is not None
    return webhook.enabled and (webhook.definition.paused or is_down)


def _wants(webhook: Webhook | None, publication: Publication) -> bool:
    """Tell whether a webhook wants an event; all queries here are about one field."""
    event: dict[str, Any] = publication.event or {}
    if webhook is None or not webhook.enabled or webhook.scope != publication.scope:
        return False
    queries = webhook.definition.query
    return event["eventName"] in webhook.definition.event_names and (
        not queries or any(each["kind"] == event["data"]["kind"] for each in queries)
    )


def _delivery_ids(message: Message) -> list[str]:
    try:
        return [delivery.id for delivery in decode_pack(message.text).deliveries]
    except MalformedPackError:
        return []
