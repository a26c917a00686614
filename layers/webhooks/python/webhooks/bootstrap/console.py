"""Composes functions/console: its log, and nothing else."""

from webhooks.bootstrap.runtime import start
from webhooks.settings import LoggingSettings


def compose(settings: LoggingSettings | None = None) -> None:
    start(LoggingSettings, settings)
