"""Zip files whose bytes depend on the files in them alone."""

import stat
import zipfile
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first time that a zip file can name
FILE, PROGRAM = 0o644, 0o755
LEVEL = 6


def pack(folder: Path, target: Path, *, stored: bool = False) -> None:
    """Write a folder's files as a zip file. `stored`: without compression."""
    target.parent.mkdir(parents=True, exist_ok=True)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(target, "w") as archive:
        for path in paths:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            mode = PROGRAM if path.stat().st_mode & stat.S_IXUSR else FILE
            entry.external_attr = (stat.S_IFREG | mode) << 16
            entry.create_system = 3  # Unix, whose modes these are
            entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=None if stored else LEVEL)
