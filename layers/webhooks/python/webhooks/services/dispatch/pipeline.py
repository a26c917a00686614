"""A batch of packs from the deliveries queue, delivered.

    decode → load → prepare → place → sign → send_all → decide → settle

Each stage takes values and returns values (see stages); a delivery that fails at one is Failed from there on.
A message is acknowledged when each of its deliveries is settled: delivered, queued again, in the dead-letter
queue with its reason, or ended because its webhook is gone. Other messages come again, and the log tells then
which of their deliveries are done.
"""

import logging
import math
from collections.abc import Sequence

from webhooks.domain.errors import UnavailableError
from webhooks.domain.lane import Lane
from webhooks.domain.poison import least_received_first
from webhooks.ports import (
    Background,
    Clock,
    DeliveryQueue,
    HttpClient,
    Report,
    Rng,
    TimeLeft,
    unreported,
)
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.counts import DispatchCounts, Settled, Tally
from webhooks.services.dispatch.decision import DecisionRules, decide_on
from webhooks.services.dispatch.gone_endpoints import GoneEndpoints
from webhooks.services.dispatch.health_keeper import HealthKeeper
from webhooks.services.dispatch.in_flight import InFlight
from webhooks.services.dispatch.loading import Loader
from webhooks.services.dispatch.observation import Concerned
from webhooks.services.dispatch.preparation import decode, prepare
from webhooks.services.dispatch.rate_limits import RateLimits
from webhooks.services.dispatch.settlement import Settlement
from webhooks.services.dispatch.stages import (
    Decided,
    Deferred,
    DeliveryMessage,
    Failed,
    Held,
    Kept,
    NotSent,
    Prepared,
    Signed,
    failed,
)
from webhooks.services.dispatch.waves import PAUSE, Waves

logger = logging.getLogger(__name__)

# A message that was received so often may have ended its readers: each is worked on alone, when its batch
# mates are settled. Far more often an outage held it up, and then it only loses a little time.
SUSPECT_RECEIVES = 3
OUT_OF_TIME = "the invocation has no time left to send it and to settle it"


class Dispatcher:
    """Delivers batches. `background` settles beside the sending; `rules`: of
    decisions; `fast_seconds`: the fast lane's time; `time_left`: of the invocation; `settling_seconds`:
    a settlement's part of it; `report` takes a batch's numbers.
    """

    def __init__(
        self,
        *,
        loader: Loader,
        signer: CallbackSigner,
        attempts: Attempts,
        http: HttpClient,
        queue: DeliveryQueue,
        rate_limits: RateLimits,
        settlement: Settlement,
        background: Background,
        health: HealthKeeper,
        gone: GoneEndpoints,
        monotonic: Clock,
        clock: Clock,
        rng: Rng,
        rules: DecisionRules,
        fast_seconds: float,
        time_left: TimeLeft,
        settling_seconds: float,
        report: Report[DispatchCounts] = unreported,
    ) -> None:
        self._loader = loader
        self._signer = signer
        self._attempts = attempts
        self._http = http
        self._queue = queue
        self._rate_limits = rate_limits
        self._settlement = settlement
        self._background = background
        self._health = health
        self._gone = gone
        self._monotonic = monotonic
        self._clock = clock
        self._rng = rng
        self._rules = rules
        self._fast_seconds = fast_seconds
        self._time_left = time_left
        self._settling_seconds = settling_seconds
        self._report = report

    def dispatch(self, messages: Sequence[DeliveryMessage], lane: Lane) -> set[str]:
        """Deliver a batch that came by a lane; return the ids of the messages that must come again."""
        suspects = least_received_first(
            (each for each in messages if each.receives >= SUSPECT_RECEIVES), self._rng
        )
        done = [each for each in messages if each.receives < SUSPECT_RECEIVES]
        tally = Tally()
        again = self._work(done, lane, tally)
        for each in suspects:
            # Settled messages are deleted before: a suspect that ends the process then repeats none of them.
            if settled := [other.receipt for other in done if other.id not in again]:
                self._queue.delete(settled, lane)
            logger.warning("message.suspect", extra={"message_id": each.id, "receives": each.receives})
            again |= self._work([each], lane, tally)
            done = [each]
        self._report(DispatchCounts(lane, tally))
        return again

    def _work(self, messages: Sequence[DeliveryMessage], lane: Lane, tally: Tally) -> set[str]:
        """Deliver messages, and count; where our own code fails beside an attempt they come again."""
        try:
            return self._deliver(messages, lane, tally)
        except Exception as error:  # noqa: BLE001 - the boundary of a batch, logged by `fail`
            return _counted(self._settlement.fail(messages, error), tally)

    def _deliver(self, messages: Sequence[DeliveryMessage], lane: Lane, tally: Tally) -> set[str]:
        decoded, unread = decode(messages)
        if not decoded:
            return _counted(self._settlement.settle(unread), tally)
        try:
            loaded = self._loader.load(decoded, lane, now=self._clock())
        except UnavailableError as error:
            logger.warning("batch.postponed", extra={"messages": len(messages), "reason": str(error)})
            return {each.message.id for each in decoded} | _counted(self._settlement.settle(unread), tally)
        signed = self._sign_all(self._rate_limits.place(prepare(decoded, loaded, lane)), lane)
        waves = Waves(self._settlement, self._background, clock=self._clock, coming=signed)
        waves.add([*unread, *(each for each in signed if not isinstance(each, Signed))])
        concerned: list[Concerned] = [each for each in signed if isinstance(each, Held | Kept)]
        in_flight = InFlight(self._attempts, self._health, self._background, monotonic=self._monotonic)
        try:
            for ended in self._http.send_all(
                [in_flight.lead(each) for each in signed if isinstance(each, Signed)], pause=PAUSE
            ):
                in_flight.look(ended)
                stages = [
                    decide_on(each, self._rules, now=self._clock(), jitter=self._rng()) for each in ended
                ]
                concerned += [each for each in stages if isinstance(each, Decided)]
                waves.add(stages)
        except Exception:
            _counted(waves.end(), tally)  # settled before its messages come again: the log tells what is done
            raise
        again = _counted(waves.end(), tally) | self._health.observe(concerned, in_flight.marked())
        self._gone.disable(each for each in concerned if isinstance(each, Decided))
        return again

    def _sign_all(self, ready: Sequence[Prepared | NotSent], lane: Lane) -> list[Signed | NotSent]:
        """Sign all that can be sent and settled in time; it is sent at once, when the last is signed."""
        fast_until = self._clock() + self._fast_seconds if lane is Lane.FAST else math.inf
        seconds = self._time_left() - self._settling_seconds
        return [
            self._sign(each, fast_until=fast_until, seconds=seconds) if isinstance(each, Prepared) else each
            for each in ready
        ]

    def _sign(self, prepared: Prepared, *, fast_until: float, seconds: float) -> Signed | NotSent:
        """Sign one, or leave it to the slow lane where the fast lane's time is up.

        That takes a second of signing, as a function with little CPU or with large bodies may need: the fast
        lane then keeps its promise to the next batch.
        """
        now = self._clock()
        if now > fast_until:
            return Deferred(prepared.decoded)
        if seconds < self._attempts.seconds(prepared.webhook):
            return Failed(prepared.decoded, OUT_OF_TIME)
        try:
            request = self._signer.request(prepared.webhook, prepared.decoded.delivery, now=now)
        except Exception as error:  # noqa: BLE001 - the boundary of one delivery: it costs no other's
            return failed(prepared.decoded, error)
        return Signed(prepared, request, now)


def _counted(settled: Settled, tally: Tally) -> set[str]:
    """Add a part's numbers to its batch's; return the ids of the messages that must come again."""
    tally.add(settled.tally)
    return settled.again
