"""Key pairs of a caller, and their files, which only their owner can read."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from signing import Curve, InvalidKeyError, PrivateKey, PublicKey
from webhooks_cli.errors import MissingError, WrongUseError

CURVES = {curve.value: curve for curve in Curve}
KEY_SEED = 48  # bytes: enough for a key that is uniform over the curve's order


def new_pair(curve: Curve, random_bytes: Callable[[int], bytes]) -> PrivateKey:
    return PrivateKey.derive(random_bytes(KEY_SEED), b"caller key", curve)


def read_public_key(text: str) -> PublicKey:
    """Read a public key, on the curve that its point lies on; raises WrongUseError."""
    for curve in Curve:
        try:
            return PublicKey.from_base64(text, curve)
        except InvalidKeyError:
            continue
    curves = " or ".join(curve.value for curve in Curve)
    raise WrongUseError(f"a public key is the base64 of the 64 bytes X||Y of a point on {curves}")


def read_private_key(path: Path, curve: Curve) -> PrivateKey:
    """Read a private key from a file: its base64, or JSON with `privateKey` and perhaps `curve`.

    Raises MissingError where the file cannot be read, WrongUseError for another content or another curve.
    """
    try:
        text = path.read_text("utf-8").strip()
    except FileNotFoundError:
        raise MissingError(f"{path}: no such file; `webhooks keys new --out {path}` makes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MissingError(f"{path}: cannot be read as a key file ({type(error).__name__})") from None
    try:
        content = json.loads(text) if text.startswith("{") else {"privateKey": text}
        pair = PrivateKey.from_base64(str(content["privateKey"]), curve)
        stated = CURVES[content.get("curve", curve.value)]
    except (InvalidKeyError, ValueError, KeyError, TypeError, RecursionError):
        pair = None  # raised outside of this block, as the exception could carry the file's text
    if pair is None:
        raise WrongUseError(
            f"{path}: holds no private key: it must be the base64 of 32 bytes, or JSON with it as privateKey"
        )
    if stated is not curve:
        raise WrongUseError(
            f"{path}: its key is on {stated.value}, the deployment's keys are on {curve.value}: "
            f"`webhooks keys new --curve {curve.value} --out FILE` makes another"
        )
    return pair


def show_pair(pair: PrivateKey) -> str:
    """Write the content of a key file."""
    content = {
        "curve": pair.curve.value,
        "publicKey": pair.public_key.to_base64(),
        "privateKey": pair.to_base64(),
    }
    return json.dumps(content, indent=2) + "\n"


def ensure_pair(path: Path, curve: Curve, *, random_bytes: Callable[[int], bytes]) -> PrivateKey:
    """Read the pair of a file; a missing file is written first."""
    if not path.exists():
        try:
            write_new_file(path, show_pair(new_pair(curve, random_bytes)))
        except FileExistsError:  # another command was faster: its pair counts
            pass
        except OSError as error:
            raise MissingError(f"{path}: cannot be written ({error.strerror})") from None
    return read_private_key(path, curve)


@contextmanager
def new_key_file(path: Path) -> Iterator[None]:
    """Raise WrongUseError where the file of a key exists, or cannot be written."""
    try:
        yield
    except FileExistsError:
        raise WrongUseError(
            f"{path} exists already: no key is ever overwritten, choose another name"
        ) from None
    except OSError as error:
        raise WrongUseError(f"{path} cannot be written ({error.strerror})") from None


def write_new_file(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all; its folders are made as private.

    Raises FileExistsError and OSError.
    """
    write_new_bytes(path, text.encode())


def write_new_bytes(path: Path, content: bytes) -> None:
    """Write a file as `write_new_file` does, of any bytes."""
    for folder in reversed(path.parents):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.link(draft, path)  # a rename would overwrite an existing file
    finally:
        Path(draft).unlink()
