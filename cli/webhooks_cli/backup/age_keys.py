"""Identities and recipients of age, from their files: an identity decrypts what its recipient encrypts.

The files are those of `age-keygen` and `age`; an identity file may itself be encrypted with a passphrase.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from webhooks_cli.backup.age_files import pyrage
from webhooks_cli.errors import MissingError, WrongUseError
from webhooks_cli.key_pairs import write_new_bytes

ENCRYPTED = b"age-encryption.org/v1"
ARMORED = b"-----BEGIN AGE ENCRYPTED FILE-----"
SECRET = "AGE-SECRET-KEY-1"  # noqa: S105 - the beginning of each


def read_recipients(path: Path) -> list[Any]:
    """Read recipients, `age1...` or an SSH key on each line. Raises MissingError, WrongUseError."""
    age = pyrage()
    found = []
    for line in _lines(_read(path)):
        try:
            if line.startswith("ssh-"):
                found.append(age.ssh.Recipient.from_str(line))
            else:
                found.append(age.x25519.Recipient.from_str(line))
        except age.RecipientError:
            raise WrongUseError(
                f"{path}: a line is no recipient (age1..., or an SSH public key); a recipient is public, an "
                "identity is not: never put one here"
            ) from None
    if not found:
        raise WrongUseError(f"{path}: holds no recipient (age1...)")
    return found


def read_identities(path: Path, passphrase: Callable[[], str]) -> list[Any]:
    """Read an identity file; `passphrase` is asked for one that is encrypted.

    Raises MissingError, WrongUseError; no error shows a key.
    """
    age = pyrage()
    content = _read(path)
    if content.startswith((ENCRYPTED, ARMORED)):
        try:
            content = age.passphrase.decrypt(content, passphrase())
        except age.DecryptError:
            raise WrongUseError(f"{path}: the passphrase is wrong, or the file is damaged") from None
    found = [_identity(line, path) for line in _lines(content)]
    if not found:
        raise WrongUseError(f"{path}: holds no identity ({SECRET}...)")
    return found


def _identity(line: str, path: Path) -> Any:
    age = pyrage()
    identity = None
    if line.startswith(SECRET):
        try:
            identity = age.x25519.Identity.from_str(line)
        except age.IdentityError:
            identity = None  # raised outside of this block, as the exception could carry the text
    if identity is None:
        raise WrongUseError(f"{path}: a line is no identity ({SECRET}...)")
    return identity


def new_identity(path: Path, passphrase: str | None) -> str:
    """Write the file of a new identity; return its recipient. Raises FileExistsError and OSError."""
    age = pyrage()
    identity = age.x25519.Identity.generate()
    recipient = str(identity.to_public())
    content = f"# recipient: {recipient}\n{identity}\n".encode()
    if passphrase is not None:
        content = age.passphrase.encrypt(content, passphrase)
    write_new_bytes(path, content)
    return recipient


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingError(f"{path} cannot be read ({error.strerror})") from None


def _lines(content: bytes) -> Sequence[str]:
    text = content.decode("utf-8", "replace")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
