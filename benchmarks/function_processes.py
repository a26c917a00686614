"""The processes in which the emulator runs the functions behind queues: memory, threads and open files."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figure import Line
from local.errors import LocalError

PROC = Path("/proc")
FUNCTIONS = {"DispatcherFunction": "dispatcher", "FanoutFunction": "fanout"}
KIB = 1024  # in a MiB

type Held = dict[str, float]  # by quantity: memory in MiB, threads, files (open ones, sockets among them)


@dataclass
class Watch:
    """Watches them. `most`: at each look, the most that one process of a function held."""

    emulator: int
    most: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    _lines: dict[tuple[str, str], list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _names: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (PROC / "self" / "status").exists():
            raise LocalError("the memory of a process is read from /proc, which this machine does not have")

    def look(self, minute: float) -> None:
        now: dict[tuple[str, str], list[float]] = defaultdict(list)
        for function, pid, held in _held(self.emulator):
            if pid not in self._names:
                number = sum(name.startswith(function) for name in self._names.values()) + 1
                self._names[pid] = f"{function} {number}"
            for quantity, value in held.items():
                self._lines[quantity, self._names[pid]].append((round(minute, 2), value))
                now[function, quantity].append(value)
        for each, values in now.items():
            self.most[each].append(max(values))

    def lines(self, quantity: str) -> dict[str, Line]:
        return {name: self._lines[quantity, name] for name in sorted(self._names.values())}


def _held(emulator: int) -> Iterator[tuple[str, int, Held]]:
    for folder in (each for each in PROC.iterdir() if each.name.isdecimal()):
        with suppress(OSError, KeyError):  # it has ended meanwhile
            lines = (folder / "status").read_text("utf-8").splitlines()
            status = dict(line.split(":", 1) for line in lines)
            command = (folder / "cmdline").read_text("utf-8", "replace")
            function = next((name for mark, name in FUNCTIONS.items() if mark in command), None)
            if function is None or int(status["PPid"]) != emulator:
                continue
            held: Held = {
                "memory": round(int(status["VmRSS"].split()[0]) / KIB, 1),
                "threads": int(status["Threads"]),
                "files": sum(1 for _ in (folder / "fd").iterdir()),
            }
            yield function, int(folder.name), held
