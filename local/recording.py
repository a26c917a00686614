"""Records the console output of `make run` as docs/make-run.svg; `make recording` runs this."""

import argparse
import re
import sys

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from local import commands
from local.paths import ROOT
from local.progress import Progress

FILE = ROOT / "docs" / "make-run.svg"
COLUMNS = 118
# Rich's SVG loads its font from another host; one that a page embeds should not.
FONT_FACE = re.compile(r"@font-face \{.*?\}\n\s*", re.DOTALL)
FONT = "Fira Code, monospace", "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"


class Recorder(Progress):
    """Leaves the keys out of the console's link."""

    def link(self, url: str) -> None:
        """Print the address without its keys."""
        super().link(f"{url.partition('ready=')[0]}ready=…")


def main() -> None:
    """Run the local stack and record its output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int)
    port = parser.parse_args().port
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True, width=COLUMNS, record=True)
    console.print(Text.assemble(("$ ", "bold green"), ("make run", "bold")))
    commands.run(port, Recorder(console))
    drawn = console.export_svg(title="webhooks", theme=MONOKAI, unique_id="make-run")
    FILE.write_text(FONT_FACE.sub("", drawn).replace(*FONT), "utf-8")


if __name__ == "__main__":
    main()
