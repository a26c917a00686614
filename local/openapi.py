"""Writes the API's OpenAPI document beside the function that serves it; docs/openapi.json links to it.

python -m local.openapi            writes the document
python -m local.openapi --check    fails where the file differs from the document that the code makes
"""

import json
import sys
from pathlib import Path

from tools.openapi.document import make_document

FILE = Path(__file__).parents[1] / "functions" / "discovery" / "openapi.json"


def text() -> str:
    """Return the document as JSON text."""
    return json.dumps(make_document(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check the document."""
    if "--check" in arguments:
        if FILE.read_text() == text():
            return 0
        print("functions/discovery/openapi.json differs from the code: run python -m local.openapi")
        return 1
    FILE.write_text(text())
    print(f"wrote {FILE.relative_to(Path.cwd()) if FILE.is_relative_to(Path.cwd()) else FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
