"""A receiver over HTTP and HTTPS that keeps nothing. Its process is not measured: any CPU of it is free."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.receiver_process import listening

HOST = "localhost"


@dataclass(frozen=True, slots=True)
class NullReceiver:
    """Its ports. `authority`: the file with the certificate authority of its certificate."""

    http: int
    https: int
    authority: Path


@contextmanager
def null_receiver() -> Iterator[NullReceiver]:
    """Run it while the context lasts. Raises LocalError."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        with listening("--keep", "0", "--certificate", str(folder / "server.pem")) as (http, https):
            yield NullReceiver(http, https, folder / "ca.pem")
