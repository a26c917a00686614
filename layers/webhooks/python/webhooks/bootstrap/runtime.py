"""The parts that every function has: its log, the clock, random bytes and the invocation's time."""

import secrets
import time

from webhooks.entrypoints.invocation import Invocation
from webhooks.logging import start_logging
from webhooks.ports import Clock, RandomBytes
from webhooks.settings import LoggingSettings

clock: Clock = time.time
random_bytes: RandomBytes = secrets.token_bytes
invocation = Invocation()


def log() -> None:
    """Start the log, as the environment says."""
    settings = LoggingSettings.load()
    start_logging(service=settings.service, level=settings.level)
