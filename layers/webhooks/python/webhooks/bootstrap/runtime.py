"""What every function has: its settings and log, the clock, random bytes and the time of the invocation."""

import secrets
import time

from webhooks.entrypoints.invocation import Invocation
from webhooks.logging import start_logging
from webhooks.ports import Clock, RandomBytes
from webhooks.settings import LoggingSettings

clock: Clock = time.time
random_bytes: RandomBytes = secrets.token_bytes
invocation = Invocation()


def start[S: LoggingSettings](model: type[S], given: S | None) -> S:
    """Start the log; return the settings, read from the environment unless given. Raises SettingsError."""
    settings = given or model.load()
    start_logging(service=settings.service, level=settings.level, namespace=settings.namespace)
    return settings
