"""Stands before the resolver in the processes of a local stack whose PYTHONPATH has this folder.

Every name below DOMAIN is loopback; once the file exists that MUTE_NAMES names, no lookup of those that begin
with "mute" is answered, as by a nameserver that is gone: it ends after the resolver's own timeout.
"""

import os
import socket
import time
from pathlib import Path
from typing import Any

DOMAIN = ".bench.test"
GIVES_UP_SECONDS = 10  # glibc's default: two tries of 5 s

_resolve = socket.getaddrinfo


def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
    if not (isinstance(host, str) and host.endswith(DOMAIN)):
        return _resolve(host, *arguments, **named)
    if host.startswith("mute") and Path(os.environ["MUTE_NAMES"]).exists():
        time.sleep(GIVES_UP_SECONDS)
        raise socket.gaierror(socket.EAI_AGAIN, "temporary failure in name resolution")
    return _resolve("127.0.0.1", *arguments, **named)


socket.getaddrinfo = getaddrinfo
