"""A receiver that costs next to no CPU: nginx, which answers 200 to all requests or asks an upstream."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from local import emulator
from local.errors import LocalError
from local.paths import ROOT

HOST = "localhost"
CLOSE = "/close"  # a path whose response closes the connection
START_SECONDS = 10
CONFIGURATION = """
worker_processes 1;
worker_rlimit_nofile 8192;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_body_buffer_size 128k;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  ssl_session_cache off;
  ssl_session_tickets off;
  ssl_certificate {folder}/server.pem;
  ssl_certificate_key {folder}/server.pem;
  server {{
    listen 127.0.0.1:{http};
    listen 127.0.0.1:{https} ssl;
    location / {{ {response}; }}
    location {close} {{ keepalive_timeout 0; return 200; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class NullReceiver:
    """The ports of HTTP and HTTPS. `authority`: a file with the certificate authority of the latter."""

    http: int
    https: int
    authority: Path


def nginx() -> Path:
    """Return the nginx of the system, or the one that `make bench` unpacked. Raises LocalError."""
    unpacked = ROOT / ".tools" / "nginx" / "usr" / "sbin" / "nginx"
    found = shutil.which("nginx") or (str(unpacked) if unpacked.exists() else None)
    if found is None:
        raise LocalError("nginx is needed to receive what is sent: on Debian, `apt-get install nginx`")
    return Path(found)


@contextmanager
def null_receiver(upstream: str = "") -> Iterator[NullReceiver]:
    """Run nginx while the context lasts. `upstream`: the URL that answers in its place."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        running = NullReceiver(emulator.free_port(), emulator.free_port(), folder / "ca.pem")
        configuration = folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                close=CLOSE,
                http=running.http,
                https=running.https,
                response=f"proxy_pass {upstream}" if upstream else "return 200",
            ),
            "utf-8",
        )
        process = subprocess.Popen(
            [nginx(), "-p", folder, "-c", configuration, "-e", folder / "error.log"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(process, running.https)
            yield running
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((emulator.HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise LocalError("nginx did not start")
