"""TLS to vetted addresses: the certificate is checked for the host's name on a connection to any address."""

import ssl
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from trustme import CA

from tests.calls import EndpointClient, calling, post
from tests.receiver import Receiver
from tests.receiver_scripts import Connection
from webhooks.adapters.http.ca_bundle import ca_bundle
from webhooks.domain.http import HttpResponse, NoResponse, NoResponseReason


@pytest.fixture(scope="module")
def authority() -> CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: CA, tmp_path: Path) -> Iterator[EndpointClient]:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with calling("127.0.0.1", ca_file=str(tmp_path / "ca.pem")) as endpoint:
        yield endpoint


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.mark.parametrize("host", ["hooks.example", "HOOKS.example.", "127.0.0.1", "www.bücher.example"])
def test_tls_is_checked_for_the_host_name_on_a_connection_to_an_address(
    authority: CA, trusting: EndpointClient, host: str
) -> None:
    names = []
    context = server_context(authority, "hooks.example", "127.0.0.1", "*.xn--bcher-kva.example")
    context.sni_callback = lambda _sock, name, _context: names.append(name)

    with Receiver(tls=context) as receiver:
        responses = [trusting.send(post(f"https://{host}:{receiver.port}/"), seconds=2) for _ in range(3)]

        assert all(isinstance(response, HttpResponse) for response in responses), responses
        assert receiver.connections == 1
    expected = host.lower().removesuffix(".").encode("idna").decode()
    assert names == [None if host == "127.0.0.1" else expected]  # RFC 6066: no SNI for addresses


def test_a_certificate_for_another_name_is_refused(authority: CA, trusting: EndpointClient) -> None:
    with Receiver(tls=server_context(authority, "other.example")) as receiver:
        response = trusting.send(post(f"https://hooks.example:{receiver.port}/"), seconds=2)

        assert isinstance(response, NoResponse)
        assert response.reason is NoResponseReason.TLS
        assert "Hostname mismatch" in response.detail
        assert receiver.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(trusting: EndpointClient) -> None:
    with Receiver(tls=server_context(trustme.CA(), "hooks.example")) as receiver:
        response = trusting.send(post(f"https://hooks.example:{receiver.port}/"), seconds=2)

        assert isinstance(response, NoResponse)
        assert response.reason is NoResponseReason.TLS
        assert receiver.requests == []


def test_tls_older_than_1_2_is_refused(authority: CA, trusting: EndpointClient) -> None:
    context = server_context(authority, "hooks.example")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # that is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    with Receiver(tls=context) as receiver:
        response = trusting.send(post(f"https://hooks.example:{receiver.port}/"), seconds=2)

        assert isinstance(response, NoResponse)
        assert response.reason is NoResponseReason.TLS


def test_a_server_without_tls_is_a_tls_failure(trusting: EndpointClient) -> None:
    def answer_in_clear(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.wait(2)

    with Receiver(greeting=answer_in_clear) as receiver:
        response = trusting.send(post(f"https://hooks.example:{receiver.port}/"), seconds=2)

    assert isinstance(response, NoResponse)
    assert response.reason is NoResponseReason.TLS


def test_a_tls_connection_is_not_shared_by_hosts_on_one_address(
    authority: CA, trusting: EndpointClient
) -> None:
    # Given a kept connection whose certificate was checked for one host
    with Receiver(tls=server_context(authority, "hooks.example")) as receiver:
        trusting.send(post(f"https://hooks.example:{receiver.port}/"), seconds=2)

        # When another host has the same address, then its name is checked anew
        response = trusting.send(post(f"https://other.example:{receiver.port}/"), seconds=2)

        assert isinstance(response, NoResponse)
        assert response.reason is NoResponseReason.TLS
        assert len(receiver.requests) == 1


def lax_root_and_leaf(folder: Path) -> tuple[Path, Path]:
    """Make a root without key identifiers, as publicly trusted ones have them, and a leaf for hooks.example."""
    now = datetime.now(UTC)
    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An old root")])

    def builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    root = (
        builder(root_name, root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        builder(x509.Name([]), leaf_key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    key = leaf_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    (folder / "leaf.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM) + key)
    return folder / "root.pem", folder / "leaf.pem"


def test_old_but_trusted_roots_are_taken_as_other_clients_take_them(tmp_path: Path) -> None:
    # python/cpython#107361: no Subject or Authority Key Identifier, no key usage, constraints not critical
    root, leaf = lax_root_and_leaf(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf)

    with Receiver(tls=context) as receiver, calling("127.0.0.1", ca_file=str(root)) as client:
        response = client.send(post(f"https://hooks.example:{receiver.port}/"), seconds=2)

        assert isinstance(response, HttpResponse), response
        other = client.send(post(f"https://other.example:{receiver.port}/"), seconds=2)
        assert isinstance(other, NoResponse)
        assert other.detail == "certificate refused: Hostname mismatch"


def test_the_authorities_are_the_systems_or_those_of_ssl_cert_file(
    authority: CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Path(ca_bundle()).read_text("utf-8").count("BEGIN CERTIFICATE") > 50
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    assert ca_bundle() == str(tmp_path / "ca.pem")


def test_phase_times_show_the_handshake_and_a_reused_connection(
    authority: CA, trusting: EndpointClient
) -> None:
    with Receiver(tls=server_context(authority, "hooks.example")) as receiver:
        new, kept = (
            trusting.send(post(f"https://hooks.example:{receiver.port}/"), seconds=2) for _ in range(2)
        )

    assert new.times
    assert kept.times
    assert 0 < new.times.tls <= new.times.first_byte <= new.times.total
    assert kept.times.tls == 0
