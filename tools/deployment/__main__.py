"""`python -m tools.deployment ENV`: asks for missing settings of the entry, then builds and deploys."""

import argparse
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tools.deployment import account, entry
from tools.deployment.dialog import Dialog
from tools.deployment.parameters import ROOT, read_parameters

SEEDS = ("ServiceKeysSecret", "SigningKeysSecret", "WebhookMasterSecret")  # outputs
NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
DESCRIPTION = """\
Deploy to AWS as an entry of samconfig.toml says. Where the entry names no region yet, about eight questions
come first, and the answers are kept there.

examples:
  make deploy                  the entry prod
  make deploy ENV=staging
  make deploy ENV=prod ASK=1   answer the questions again
"""


def main() -> int:
    """Return the exit status."""
    options = _options()
    path = options.config.resolve()
    try:
        former = entry.read(path, options.name)
        if options.ask or not former.is_answered:
            _ask(path, options.name, former)
        if options.only_ask:
            return 0
        if refusal := refused(entry.read(path, options.name)):
            return _failed(f"[{options.name}] has {refusal}. docs/deployment.md, Economy, has the way")
        return _deploy(path, options.name)
    except (OSError, ValueError, tomllib.TOMLDecodeError) as error:
        return _failed(f"{path.name}: {error}")
    except EOFError:
        return _failed("the input ended before the last answer: nothing was written or deployed")
    except KeyboardInterrupt:
        _failed("interrupted")
        return 130


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.deployment",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="ENV", type=_name, help="dev, staging, prod, or a name of your own")
    parser.add_argument("--ask", action="store_true", help="ask although the entry has answers")
    parser.add_argument("--only-ask", action="store_true", help="write the entry and do not deploy")
    parser.add_argument("--config", type=Path, default=ROOT / "samconfig.toml", help=argparse.SUPPRESS)
    return parser.parse_args()


def _name(text: str) -> str:
    if not NAME.fullmatch(text) or text in entry.RESERVED:
        raise argparse.ArgumentTypeError(
            "an environment is 1 to 20 lower-case letters, digits and hyphens, "
            f"and none of {', '.join(entry.RESERVED)}"
        )
    return text


def _ask(path: Path, name: str, former: entry.Entry) -> None:
    dialog = Dialog(
        sys.stdin,
        sys.stdout,
        parameters=read_parameters(),
        look_at=account.look_at,
        region=account.configured_region(),
    )
    entry.write(path, name, dialog.ask(name, former))
    print(f"\nwritten: [{name}] in {path.name}; commit it")  # noqa: T201 - a person runs this


def _deploy(path: Path, name: str) -> int:
    sam = ROOT / ".venv-sam/bin/sam"
    environment = os.environ | {"PATH": f"{ROOT / '.tools/bin'}{os.pathsep}{os.environ['PATH']}"}
    for command in ("build", "deploy"):
        arguments = [sam, command, "--config-file", path, "--config-env", name]
        status = subprocess.run(arguments, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 - fixed
        if status:
            return status
    return 0


def refused(wanted: entry.Entry) -> str | None:
    """Return why a deployed stack cannot become what is wanted; None where it can."""
    outputs = account.outputs_of(wanted.stack_name, wanted.region)
    if wanted.parameters.get("EncryptionKey") == "AwsOwned" and "KeyArn" in outputs:
        # Data would stay under a key that no function may use any more.
        return (
            "EncryptionKey=AwsOwned, and the deployed stack has a key of its own: credentials and waiting "
            "messages could not be read"
        )
    secrets = {outputs.get(each) for each in SEEDS}
    seeds = wanted.parameters.get("SeedSecrets", "Separate")
    if None not in secrets and (len(secrets) == 1) != (seeds == "One"):
        return (
            f"SeedSecrets={seeds}, and the deployed stack has the other value: it would get other keys, "
            "which no caller and no receiver knows"
        )
    return None


def _failed(text: str) -> int:
    print(f"failed: {text}", file=sys.stderr)  # noqa: T201 - a person runs this
    return 1


if __name__ == "__main__":
    sys.exit(main())
