"""`python -m tools.pages` builds the pages; `--check` checks the sources' types, format and lint."""

import subprocess
import sys

from tools.pages import build, node


def main() -> int:
    """Return the exit status."""
    try:
        if "--check" in sys.argv[1:]:
            node.install()
            node.tool("tsc", "-p", ".")
            node.tool("biome", "ci", "--error-on-warnings", ".")
        elif "--fix" in sys.argv[1:]:
            node.install()
            node.tool("biome", "check", "--write", ".")
        else:
            build.build()
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd))
        print(f"failed: {command}", file=sys.stderr)  # noqa: T201 - a person runs this
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
