"""Runs the `webhooks` command with a context of its own: folder, streams, clock and random bytes."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from webhooks_cli.context import CliContext
from webhooks_cli.main import run

NOW = 1_768_469_400


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class CommandResult:
    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        return json.loads(self.stdout)


@dataclass
class CommandLine:
    folder: Path
    now: float = NOW
    environment: dict[str, str] = field(default_factory=dict)
    sleep: Callable[[float], None] = lambda _seconds: None
    stderr: Callable[[], io.StringIO] = io.StringIO
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def random_bytes(self, length: int) -> bytes:
        return next(self._numbers).to_bytes(length)

    def __call__(
        self, *argv: object, stdin: bytes | str = b"", stdout: io.StringIO | None = None
    ) -> CommandResult:
        stdout, stderr = stdout or io.StringIO(), self.stderr()
        context = CliContext(
            stdin=io.BytesIO(stdin.encode() if isinstance(stdin, str) else stdin),
            stdout=stdout,
            stderr=stderr,
            environment=self.environment,
            folder=self.folder,
            home=self.home,
            clock=lambda: self.now,
            random_bytes=self.random_bytes,
            sleep=self.sleep,
        )
        code = run([str(each) for each in argv], context)
        return CommandResult(code, stdout.getvalue(), stderr.getvalue())

    def write(self, name: str, content: object) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def write_stack(self, **content: object) -> Path:
        return self.write(".local/stack.json", content)

    def write_profiles(self, text: str) -> Path:
        return self.write("home/.config/webhooks/profiles.toml", text)
