"""Encrypted files in the format of age (https://age-encryption.org/v1), written and read as streams.

age encrypts in chunks of 64 KiB; each chunk's place and the end of the file are authenticated.
"""

import os
import queue
import tempfile
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from webhooks_cli.errors import MissingError, WrongUseError

GZIP = 31  # zlib's number for gzip with its header and checksum
BLOCK = 256 * 1024  # bytes of text that are handed on at once
BLOCKS = 8  # that may wait: a reader that is slower than the decryption holds it up
MAX_LINE = 16 * 1024 * 1024  # bytes; an item has 400 KiB, its JSON some times as much
WAIT_SECONDS = 0.2


def pyrage() -> Any:
    """Return the module that implements age. Raises MissingError."""
    if find_spec("pyrage") is None:
        raise MissingError(
            "pyrage is not installed: install the command with its extra, webhooks-cli[operator]"
        )
    import pyrage as found  # noqa: PLC0415 - tenants have no backups

    return found


def write_encrypted(path: Path, lines: Iterable[bytes], recipients: Sequence[Any]) -> int:
    """Write a new file that only its owner can read, whole or not at all; return its bytes.

    Raises WrongUseError where the file exists or cannot be written.
    """
    if path.exists():
        raise _exists(path)
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                _encrypt(lines, file, recipients)
                file.flush()
                os.fsync(file.fileno())
                size = file.tell()
            os.link(draft, path)  # a rename would overwrite an existing file
        finally:
            Path(draft).unlink()
    except FileExistsError:
        raise _exists(path) from None
    except OSError as error:
        raise WrongUseError(f"{path} cannot be written ({error.strerror or error})") from None
    return size


def _exists(path: Path) -> WrongUseError:
    return WrongUseError(f"{path} exists already: no backup is ever overwritten, choose another name")


def _encrypt(lines: Iterable[bytes], file: Any, recipients: Sequence[Any]) -> None:
    source = _Compressed(lines)
    try:
        pyrage().encrypt_io(source, file, list(recipients))
    except BaseException:  # age raises another error than that of the lines
        if source.error is not None:
            raise source.error from None
        raise


class _Compressed:
    """The compressed lines as a file that is read. `error`: the one that ended the lines."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._blocks = _compressed(lines)
        self._rest = b""
        self.error: BaseException | None = None

    def read(self, size: int) -> bytes:
        while not self._rest:
            try:
                block = next(self._blocks, None)
            except BaseException as error:
                self.error = error
                raise
            if block is None:
                return b""
            self._rest = block
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def _compressed(lines: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=GZIP)
    for line in lines:
        if block := compressor.compress(line):
            yield block
    yield compressor.flush()


def read_lines(path: Path, identities: Sequence[Any]) -> Iterator[bytes]:
    """Return the lines of an encrypted file, each without its end.

    The lines of a changed file come until the change; then WrongUseError is raised.
    """
    try:
        with path.open("rb") as file:
            rest = b""
            with _Decryption(file, identities, path) as blocks:
                for block in blocks:
                    *whole, rest = (rest + block).split(b"\n")
                    yield from whole
                    if len(rest) > MAX_LINE:
                        raise WrongUseError(f"{path} is no backup: a line of it is longer than any record")
            if rest:
                yield rest
    except OSError as error:
        raise MissingError(f"{path} cannot be read ({error.strerror or error})") from None


class _LeftError(Exception):
    """The reader has left: nothing more is decrypted."""


class _Decryption:
    """Decrypts in a thread of its own, as age writes where we want to read; used with `with`."""

    def __init__(self, file: Any, identities: Sequence[Any], path: Path) -> None:
        self._file = file
        self._identities = list(identities)
        self._path = path
        self._age = pyrage()
        self._blocks: queue.Queue[bytes | BaseException | None] = queue.Queue(BLOCKS)
        self._stopped = threading.Event()
        self._inflater = zlib.decompressobj(wbits=GZIP)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Iterator[bytes]:
        self._thread.start()
        return iter(self._next, None)

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def write(self, data: bytes) -> int:
        """Take decrypted bytes, from age."""
        left = data
        while left:
            block = self._inflater.decompress(left, BLOCK)
            if block:
                self._put(block)
            left = self._inflater.unconsumed_tail
        return len(data)

    def flush(self) -> None:
        """Do nothing: age calls it."""

    def _next(self) -> bytes | None:
        taken = self._blocks.get()
        if isinstance(taken, BaseException):
            raise self._problem(taken)
        return taken

    def _run(self) -> None:
        end: BaseException | None = None
        try:
            self._age.decrypt_io(self._file, self, self._identities)
            end = None if self._inflater.eof else zlib.error("the end is missing")
        except BaseException as error:  # noqa: BLE001 - the reader's thread raises it
            end = error
        with suppress(_LeftError):
            self._put(end)

    def _put(self, block: "bytes | BaseException | None") -> None:
        while not self._stopped.is_set():
            with suppress(queue.Full):
                self._blocks.put(block, timeout=WAIT_SECONDS)
                return
        raise _LeftError

    def _problem(self, error: BaseException) -> Exception:
        if isinstance(error, self._age.DecryptError):
            if "No matching keys" in str(error):
                return WrongUseError(f"{self._path} is encrypted for other identities than the one given")
            return WrongUseError(
                f"{self._path} is no backup: it is no file of age, or its first lines are damaged ({error})"
            )
        if isinstance(error, (OSError, zlib.error)):
            return WrongUseError(f"{self._path} is damaged, or was cut off: nothing of it is used")
        return WrongUseError(f"{self._path} cannot be decrypted ({type(error).__name__})")
