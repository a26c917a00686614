"""The HTTP client of callbacks and token requests: conversations with many endpoints at once, in a thread."""

import math
import time
from collections.abc import Hashable, Iterator, Sequence
from typing import Self

from webhooks.adapters.http.batch import Batch, RunningCall
from webhooks.adapters.http.ca_bundle import ca_bundle
from webhooks.adapters.http.egress_guard import EgressGuard
from webhooks.adapters.http.transfers import Limits, Transfers
from webhooks.ports import Clock, Conversation


class CurlHttpClient:
    """Leads conversations over kept connections to vetted addresses. For one thread at a time.

    `clock`: seconds that go on while the function is frozen.
    """

    def __init__(
        self,
        guard: EgressGuard,
        *,
        ca_file: str | None = None,
        limits: Limits | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._guard = guard
        self._clock = clock
        self._ca_file = ca_file or ca_bundle()
        self._limits = limits or Limits()
        self._transfers: Transfers | None = None
        self._shared: dict[Hashable, RunningCall] = {}  # may outlast the batch that began them

    def send_all[R](
        self, conversations: Sequence[Conversation[R]], *, pause: float = math.inf
    ) -> Iterator[Sequence[R]]:
        """Lead conversations, all at once; give the results of those that ended, as they end.

        At least every `pause` seconds something is given, if need be nothing but an empty sequence. Nothing
        is sent before the first is asked for, nor carried on between one and the next. An iteration that is
        left before its end closes all connections.
        """
        if self._transfers is None:
            self._transfers = Transfers(self._guard, ca_file=self._ca_file, limits=self._limits)
        batch = Batch(
            self._guard,
            self._transfers,
            self._shared,
            conversations,
            clock=self._clock,
            abandon=self.close,
        )
        return batch.lead(pause)

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        self._shared.clear()
        if self._transfers is not None:
            self._transfers.close()
            self._transfers = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
