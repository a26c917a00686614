"""Finds Chromium for the tests of the pages, and installs it where it is missing: `make browser` runs this.

Debian's package where apt-get may be used, else the one that Playwright downloads.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NAMES = ("chromium", "google-chrome", "google-chrome-stable")
SNAP = "/snap/"  # a snap cannot use the profile that Playwright makes under /tmp
FONTS = ("fonts-dejavu-core", "fonts-liberation")  # pictures of the pages are drawn with these
SHOWN = 5  # last lines of a command that failed


class ChromiumError(Exception):
    """There is no Chromium. The message says why, and the remedy."""


@dataclass(frozen=True)
class Machine:
    """A machine. `run`: the last lines of a command that failed, else None. `own`: Playwright's path."""

    which: Callable[[str], str | None]
    uid: Callable[[], int]
    run: Callable[[Sequence[str]], str | None]
    own: Callable[[], Path]


def find(machine: Machine | None = None) -> Path | None:
    """Return Chromium's path, None where there is none."""
    machine = machine or this()
    for name in NAMES:
        found = machine.which(name)
        if found and not found.startswith(SNAP):
            return Path(found)
    own = machine.own()
    return own if own.exists() else None


def require(machine: Machine | None = None) -> Path:
    """Return Chromium's path. Raises ChromiumError where there is none."""
    found = find(machine)
    if found is None:
        raise ChromiumError("Chromium is missing, and the pages are tested in it: `make browser` installs it")
    return found


def install(machine: Machine, say: Callable[[str], None]) -> Path:
    """Return Chromium's path; install it where it is missing. Raises ChromiumError."""
    found = find(machine) or _install(machine, say)
    fault = machine.run((str(found), "--version"))
    if fault is not None:
        raise ChromiumError(f"{found} does not start. {_remedy(machine)}\n{fault}")
    return found


def _install(machine: Machine, say: Callable[[str], None]) -> Path:
    faults = []
    for name, commands in _ways(machine):
        say(f"== install Chromium: {name}")
        # A mirror that does not answer may be one that is not needed: the last command decides.
        fault = [machine.run(each) for each in commands][-1]
        found = find(machine)
        if fault is None and found is not None:
            return found
        faults.append(f"{' '.join(commands[-1])}:\n{fault or 'it installed no Chromium'}")
    raise ChromiumError("\n".join((f"Chromium cannot be installed. {_remedy(machine)}", *faults)))


def _ways(machine: Machine) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """Yield the ways to install it: a name, and the commands."""
    by_apt = _has_apt(machine)
    if by_apt:
        packages = ("chromium", *FONTS)
        commands = [("apt-get", "update"), ("apt-get", "install", "-y", "--no-install-recommends", *packages)]
        yield "Debian's package", commands
    libraries = ("--with-deps",) if by_apt else ()
    yield "Playwright's", [(sys.executable, "-m", "playwright", "install", *libraries, "chromium")]


def _has_apt(machine: Machine) -> bool:
    return machine.uid() == 0 and machine.which("apt-get") is not None


def _remedy(machine: Machine) -> str:
    if machine.uid() and machine.which("apt-get"):
        return "As root, `apt-get install chromium` installs Debian's package."
    return "Install it or Google Chrome by hand, so that one of them is on the PATH."


def this() -> Machine:
    """Return the machine that this runs on."""
    return Machine(which=shutil.which, uid=os.getuid, run=_run, own=_own)


def _run(command: Sequence[str]) -> str | None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    made = subprocess.run(  # noqa: S603 - the commands above
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return "\n".join(made.stdout.splitlines()[-SHOWN:]) if made.returncode else None


def _own() -> Path:
    """Return the place of Playwright's Chromium, whether it is installed or not."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it is needed where all else is missing

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def main() -> int:
    """Print Chromium's path; return the exit status."""
    try:
        path = install(this(), lambda text: print(text, file=sys.stderr))  # noqa: T201 - a person runs this
    except ChromiumError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(path)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
