"""Finds the languages of the receivers' samples, and installs Debian's packages of missing ones.

`make languages` runs this. Where it cannot install, it says so; the tests then leave that language out, but
not in continuous integration.
"""

import os
import shutil
import subprocess
import sys

COMMANDS = {"go": "go", "java": "javac", "php": "php"}
PACKAGES = {"go": "golang-go", "java": "default-jdk-headless", "php": "php-cli"}
SHOWN = 5  # last lines of a command that failed


def main() -> int:
    """Install what is missing, as far as this machine allows; return the exit status."""
    missing = [language for language, command in COMMANDS.items() if not shutil.which(command)]
    if not missing:
        return 0
    names = ", ".join(missing)
    if os.getuid() or not shutil.which("apt-get"):
        print(f"== without {names}: the samples in it are not tested. Install it by hand")  # noqa: T201 - a person runs this
        return 0
    print(f"== install Debian's packages of {names}", flush=True)  # noqa: T201
    packages = [PACKAGES[language] for language in missing]
    faults = [_run("update"), _run("install", "-y", "--no-install-recommends", *packages)]
    if faults[-1] is not None:  # a list that was not updated may do
        print(f"{names} cannot be installed:\n{faults[-1]}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _run(*arguments: str) -> str | None:
    """Run apt-get; return its last lines where it failed."""
    made = subprocess.run(  # noqa: S603 - the packages above
        ("apt-get", *arguments),  # noqa: S607
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return "\n".join(made.stdout.splitlines()[-SHOWN:]) if made.returncode else None


if __name__ == "__main__":
    sys.exit(main())
