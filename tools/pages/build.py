"""Makes each page one file: its markup, its style and its script, and nothing from elsewhere."""

import json
import tempfile
from pathlib import Path

from tools.pages import node
from tools.pages.reference import reference

OUT = node.ROOT / "functions" / "console"
DOCUMENT = node.ROOT / "functions" / "discovery" / "openapi.json"

CONSOLE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Webhooks</title>
<style>{style}</style>
</head>
<body>
<div id="app"></div>
<noscript>The console needs JavaScript: it encrypts your requests in the browser.</noscript>
<script>{script}</script>
</body>
</html>
"""


def build(out: Path = OUT) -> None:
    """Write console.html and docs.html. Raises CalledProcessError where a tool fails."""
    node.install()
    script, style = bundle("console")
    (out / "console.html").write_text(CONSOLE.format(style=style, script=script), encoding="utf-8")
    script, style = bundle("docs")
    document = json.loads(DOCUMENT.read_text("utf-8"))
    page = reference(document, script=script, style=style)
    (out / "docs.html").write_text(page, encoding="utf-8")


def bundle(page: str) -> tuple[str, str]:
    """Return a page's script and style, as they may stand between their tags."""
    with tempfile.TemporaryDirectory() as folder:
        node.tool("vite", "build", "--mode", page, "--outDir", folder, "--logLevel", "error")
        script = Path(folder, "app.js").read_text("utf-8").strip()
        style = Path(folder, "app.css").read_text("utf-8").strip()
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--"), style
