"""The certificate authorities that endpoints' certificates are checked against."""

import ssl
from pathlib import Path
from typing import Final

import botocore

# libcurl's wheel brings an OpenSSL of its own, which does not know where the system keeps them.
_SYSTEMS: Final = (
    "/etc/pki/tls/certs/ca-bundle.crt",  # Amazon Linux
    "/etc/ssl/certs/ca-certificates.crt",  # Debian
)


def ca_bundle() -> str:
    """Return the path of the system's bundle: SSL_CERT_FILE's, if it names one; at last botocore's."""
    ours = str(Path(botocore.__file__).with_name("cacert.pem"))
    found = (ssl.get_default_verify_paths().cafile, *_SYSTEMS, ours)
    return next(path for path in found if path and Path(path).is_file())
