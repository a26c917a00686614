"""Runs the SAM CLI: builds the template, deploys stacks."""

import os
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from acceptance.account import Account
from acceptance.errors import AcceptanceError
from acceptance.names import Names
from local import sources
from local.errors import failed
from local.paths import ROOT, tool

BUILD_SECONDS, DEPLOY_SECONDS = 900, 1800
STOP_SECONDS = 20  # for sam to end by itself after a Ctrl-C, which the console has sent to it too


@dataclass(frozen=True)
class Sam:
    """Builds and deploys in one account, with its logs in `folder`."""

    account: Account
    names: Names
    folder: Path

    @property
    def built(self) -> Path:
        """Return the built template."""
        return self.folder / "build" / "template.yaml"

    def build(self, parameters: Mapping[str, str]) -> None:
        """Build the service, unless the last build had the same sources. Raises LocalError."""
        mark, wanted = self.folder / "built", sources.digest(_overrides(parameters))
        if mark.is_file() and mark.read_text("utf-8") == wanted:
            return
        mark.unlink(missing_ok=True)
        self._run(
            "build",
            "build",
            *("--template-file", ROOT / "template.yaml", "--build-dir", self.folder / "build"),
            *("--parallel", "--parameter-overrides", *_overrides(parameters)),
            seconds=BUILD_SECONDS,
        )
        mark.write_text(wanted, "utf-8")

    def deploy(
        self, stack: str, template: Path, parameters: Mapping[str, str], *, step: str = "deploy"
    ) -> None:
        """Deploy a stack with the tag; its first creation rolls back where it fails. Raises LocalError."""
        self._run(
            step,
            "deploy",
            *("--template-file", template, "--stack-name", stack),
            *("--s3-bucket", self.names.bucket(self.account.id, self.account.region), "--s3-prefix", stack),
            *("--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-fail-on-empty-changeset"),
            *("--region", self.account.region),
            *("--tags", *(f"{key}={value}" for key, value in self.names.tags.items())),
            *(("--parameter-overrides", *_overrides(parameters)) if parameters else ()),
            seconds=DEPLOY_SECONDS,
        )

    def _run(self, step: str, command: str, *arguments: str | Path, seconds: float) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # An empty file: the entries of the project's own samconfig.toml are another deployment's.
        config = self.folder / "samconfig.toml"
        config.write_text("version = 0.1\n", "utf-8")
        log = self.folder / f"sam-{step}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [tool(".venv-sam", "sam"), command, "--config-file", config, *arguments],
                cwd=self.folder,
                env=os.environ
                | {
                    "SAM_CLI_TELEMETRY": "0",
                    "AWS_REGION": self.account.region,
                    "AWS_DEFAULT_REGION": self.account.region,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            code = wait_for(process, seconds=seconds)
        if code is None:
            raise AcceptanceError(f"`sam {command}` did not end within {seconds:.0f} s; read {log}")
        if code:
            raise failed(f"`sam {command}` failed", log)


def wait_for(process: subprocess.Popen[bytes], *, seconds: float) -> int | None:
    """Wait for a process, which ends with this one; returns its code, None where it took too long."""
    until = time.monotonic() + seconds
    try:
        while process.poll() is None and time.monotonic() < until:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
        return process.poll()
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            process.kill()
            process.wait()


def _overrides(parameters: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in parameters.items()]
