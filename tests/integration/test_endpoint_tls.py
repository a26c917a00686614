"""TLS to vetted addresses: the certificate is checked for the host's name, whatever is connected to."""

import ssl
import warnings

import pytest
import trustme

from tests.calls import calling, post
from tests.receiver import Receiver
from webhooks.domain.exchange import Answer, NoAnswer, NoAnswerReason


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def trusting(authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with calling("127.0.0.1", ca_file=str(tmp_path / "ca.pem")) as endpoint:
        yield endpoint


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.mark.parametrize("host", ["hooks.example", "HOOKS.example.", "127.0.0.1", "www.bücher.example"])
def test_tls_is_checked_for_the_hosts_name_on_a_connection_to_its_address(authority, trusting, host):
    names = []
    context = server_context(authority, "hooks.example", "127.0.0.1", "*.xn--bcher-kva.example")
    context.sni_callback = lambda _sock, name, _context: names.append(name)

    with Receiver(tls=context) as receiver:
        answers = [trusting.exchange(post(f"https://{host}:{receiver.port}/"), seconds=2) for _ in range(3)]

        assert all(isinstance(answer, Answer) for answer in answers), answers
        assert receiver.connections == 1
    expected = host.lower().removesuffix(".").encode("idna").decode()
    assert names == [None if host == "127.0.0.1" else expected]  # RFC 6066: no SNI for addresses


def test_a_certificate_for_another_name_is_refused(authority, trusting):
    with Receiver(tls=server_context(authority, "other.example")) as receiver:
        answer = trusting.exchange(post(f"https://hooks.example:{receiver.port}/"), seconds=2)

        assert isinstance(answer, NoAnswer)
        assert answer.reason is NoAnswerReason.TLS
        assert "Hostname mismatch" in answer.detail
        assert receiver.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(trusting):
    with Receiver(tls=server_context(trustme.CA(), "hooks.example")) as receiver:
        answer = trusting.exchange(post(f"https://hooks.example:{receiver.port}/"), seconds=2)

        assert isinstance(answer, NoAnswer)
        assert answer.reason is NoAnswerReason.TLS
        assert receiver.requests == []


def test_tls_older_than_1_2_is_refused(authority, trusting):
    context = server_context(authority, "hooks.example")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # that is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    with Receiver(tls=context) as receiver:
        answer = trusting.exchange(post(f"https://hooks.example:{receiver.port}/"), seconds=2)

        assert isinstance(answer, NoAnswer)
        assert answer.reason is NoAnswerReason.TLS


def test_a_server_without_tls_is_a_tls_failure(trusting):
    def answer_in_clear(conversation):
        conversation.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        conversation.wait(2)

    with Receiver(greeting=answer_in_clear) as receiver:
        answer = trusting.exchange(post(f"https://hooks.example:{receiver.port}/"), seconds=2)

    assert isinstance(answer, NoAnswer)
    assert answer.reason is NoAnswerReason.TLS


def test_a_connection_to_a_checked_host_is_not_used_for_another_on_the_same_address(authority, trusting):
    # Given a kept connection whose certificate was checked for one host
    with Receiver(tls=server_context(authority, "hooks.example")) as receiver:
        trusting.exchange(post(f"https://hooks.example:{receiver.port}/"), seconds=2)

        # When another host has the same address, then its name is checked anew
        answer = trusting.exchange(post(f"https://other.example:{receiver.port}/"), seconds=2)

        assert isinstance(answer, NoAnswer)
        assert answer.reason is NoAnswerReason.TLS
        assert len(receiver.requests) == 1
