"""The shared objects of a build: made for its architecture, and for the C library of Amazon Linux 2023."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.artefacts.build import Build
from tools.gates.gate import GateError

MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little-endian
MACHINES = {"x86_64": 62, "arm64": 183}  # e_machine of ELF
GLIBC = re.compile(rb"\0GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\0)")
NEWEST = (2, 34)  # the glibc of Amazon Linux 2023


def check(build: Build) -> str:
    """Return the count of shared objects and the newest glibc that they need. Raises GateError."""
    objects = list(shared_objects(build.folder))
    if not objects:
        raise GateError(f"{build.architecture}: the build has no shared object")
    findings, needed = [], (0, 0)
    for path in objects:
        content = path.read_bytes()
        name = path.relative_to(build.folder)
        if machine(content) != MACHINES[build.architecture]:
            findings.append(f"{name} is not for {build.architecture}")
        glibc = newest_glibc(content)
        if glibc > NEWEST:
            findings.append(f"{name} needs glibc {_text(glibc)}; Lambda has {_text(NEWEST)}")
        needed = max(needed, glibc)
    if findings:
        raise GateError("\n".join(findings))
    return f"{build.architecture}: {len(objects)} shared objects need glibc {_text(needed)} at most"


def shared_objects(folder: Path) -> Iterator[Path]:
    """Yield all ELF files below the folder, whatever their names."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as opened:
                if opened.read(4) == MAGIC[:4]:
                    yield path


def machine(content: bytes) -> int:
    """Return an ELF file's machine; 0 where its form is not that of Lambda's machines."""
    return int.from_bytes(content[18:20], "little") if content.startswith(MAGIC) else 0


def newest_glibc(content: bytes) -> tuple[int, int]:
    """Return the newest version of glibc that an ELF file names."""
    return max(((int(major), int(minor)) for major, minor in GLIBC.findall(content)), default=(0, 0))


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
