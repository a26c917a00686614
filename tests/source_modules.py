"""Source files as modules: their imports and dotted names, read by syntax.

Imports inside functions and those for type checking count too.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Module:
    """A source file, its dotted name, and the package that its relative imports start from."""

    name: str
    package: str
    tree: ast.Module

    @property
    def imports(self) -> set[str]:
        return set(self._imports())

    def _imports(self) -> Iterator[str]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                parts = self.package.split(".")
                up = parts[: len(parts) - node.level + 1] if node.level else []
                base = ".".join([*up, *([node.module] if node.module else [])])
                yield from (f"{base}.{alias.name}" for alias in node.names)

    @property
    def dotted(self) -> set[str]:
        """Every dotted expression, such as `os.environ` or `datetime.now`."""
        return {ast.unparse(node) for node in ast.walk(self.tree) if isinstance(node, ast.Attribute)}

    def within(self, *packages: str) -> bool:
        return any(is_within(self.name, package) for package in packages)

    def imports_any(self, targets: Sequence[str]) -> set[str]:
        return {name for name in self.imports if any(is_within(name, target) for target in targets)}


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def module(name: str, source: str, *, package: str | None = None) -> Module:
    return Module(name, package if package is not None else name.rpartition(".")[0], ast.parse(source))


def modules_of(folder: Path, *, root: Path | None = None) -> Iterator[Module]:
    """Read a folder's modules; their names start at `root`, which is the folder itself unless given."""
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(root or folder).with_suffix("").parts
        if "__pycache__" in parts:
            continue
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        yield module(name, path.read_text(), package=name if is_package else None)
