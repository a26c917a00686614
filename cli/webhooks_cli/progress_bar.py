"""A progress bar on stderr while work lasts; nothing where stderr is no terminal."""

from types import TracebackType
from typing import TextIO

WIDTH = 30


class ProgressBar:
    """Draws `done of total`; the line is gone at its end, however the work ends."""

    def __init__(self, stderr: TextIO, unit: str) -> None:
        self._stderr = stderr
        self._unit = unit
        self._drawn = 0

    def __enter__(self) -> "ProgressBar":  # noqa: PYI034 - typing.Self is newer than 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._write("")
            self._stderr.write("\r")
            self._stderr.flush()

    def show(self, done: int, total: int | None) -> None:
        """Draw the state; without a total, the count alone."""
        if not self._stderr.isatty():
            return
        if not total:
            self._write(f"{done} {self._unit}")
            return
        filled = min(WIDTH, WIDTH * done // total)
        self._write(f"[{'#' * filled}{'.' * (WIDTH - filled)}] {done} of {total} {self._unit}")

    def _write(self, text: str) -> None:
        self._stderr.write(f"\r{text:<{self._drawn}}")
        self._stderr.flush()
        self._drawn = len(text)
