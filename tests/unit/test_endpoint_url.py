"""Parsed URLs: all legal spellings are called, and all others refused."""

import pytest

from webhooks.domain.endpoint_url import EndpointUrl, InvalidUrlError, parse_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com", EndpointUrl("https", "example.com", 443, "/")),
        ("HTTPS://Example.COM/A?b=C", EndpointUrl("https", "example.com", 443, "/A?b=C")),
        ("https://example.com./", EndpointUrl("https", "example.com", 443, "/")),
        ("https://example.com:8443/x", EndpointUrl("https", "example.com", 8443, "/x")),
        ("https://example.com:/x", EndpointUrl("https", "example.com", 443, "/x")),
        ("https://example.com/x#part", EndpointUrl("https", "example.com", 443, "/x")),
        ("https://example.com?x=1", EndpointUrl("https", "example.com", 443, "/?x=1")),
        # An empty query is not the same as none (RFC 3986, 6.2.3).
        ("https://example.com/hook?", EndpointUrl("https", "example.com", 443, "/hook?")),
        ("https://example.com?", EndpointUrl("https", "example.com", 443, "/?")),
        ("https://example.com/hook?#part", EndpointUrl("https", "example.com", 443, "/hook?")),
        ("https://example.com/hook#part?", EndpointUrl("https", "example.com", 443, "/hook")),
        ("https://example.com/hook??", EndpointUrl("https", "example.com", 443, "/hook??")),
        ("http://a_b.example/%20%ff", EndpointUrl("http", "a_b.example", 80, "/%20%ff")),
        ("https://bücher.example/", EndpointUrl("https", "xn--bcher-kva.example", 443, "/")),
        ("https://xn--bcher-kva.example/", EndpointUrl("https", "xn--bcher-kva.example", 443, "/")),
        ("https://例え。テスト/", EndpointUrl("https", "xn--r8jz45g.xn--zckzah", 443, "/")),
        ("https://127。0。0。1/", EndpointUrl("https", "127.0.0.1", 443, "/")),
        ("https://①②⑦.0.0.1/", EndpointUrl("https", "127.0.0.1", 443, "/")),
        ("https://2130706433/", EndpointUrl("https", "2130706433", 443, "/")),
        ("https://0x7f.1/", EndpointUrl("https", "0x7f.1", 443, "/")),
        ("https://[2001:DB8:0::1]:444/", EndpointUrl("https", "2001:db8::1", 444, "/")),
        ("https://[::ffff:127.0.0.1]/", EndpointUrl("https", "::ffff:127.0.0.1", 443, "/")),
    ],
)
def test_a_url_is_parsed_into_its_parts(text: str, expected: EndpointUrl) -> None:
    assert parse_url(text) == expected


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("https://Example.com:443/", "example.com"),
        ("https://example.com:80/", "example.com:80"),
        ("http://example.com:80/", "example.com"),
        ("https://[2001:db8::1]/", "[2001:db8::1]"),
        ("https://[2001:db8::1]:444/", "[2001:db8::1]:444"),
    ],
)
def test_the_host_header_has_the_port_unless_it_is_the_default(text: str, authority: str) -> None:
    assert parse_url(text).authority == authority


def test_the_url_as_the_endpoint_sees_it_is_canonical() -> None:
    assert parse_url("HTTPS://BÜCHER.example.:443?x#y").text == "https://xn--bcher-kva.example/?x"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "scheme"),
        ("example.com", "scheme"),
        ("ftp://example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("https:example.com", "url"),
        ("https://", "url"),
        ("https:///path", "url"),
        ("https://user@example.com/", "user-info"),
        ("https://user:secret@example.com/", "user-info"),
        ("https://:@example.com/", "user-info"),
        ("https://@example.com/", "user-info"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "url"),
        ("https://example.com:-1/", "url"),
        ("https://example.com:4 3/", "url"),
        ("https://exam ple.com/", "url"),
        (" https://example.com/", "url"),
        ("https://example.com/\r\nX: y", "url"),
        ("https://exa\tmple.com/", "url"),
        ("https://example.com/\x00", "url"),
        ("https://example.com\\@evil.example/", "url"),
        ("https://exa%6dple.com/", "url"),
        ("https://a..b/", "url"),
        ("https://.example.com/", "url"),
        ("https://example.com../", "url"),
        ("https://" + "a" * 64 + ".example/", "url"),
        ("https://" + "a." * 127 + "example/", "url"),
        ("https://faß.example/", "url"),
        ("https://example℀com/", "url"),
        ("https://[::1/", "url"),
        ("https://[]/", "url"),
        ("https://[fe80::1%25eth0]/", "url"),
        ("https://[v1.x]/", "url"),
        ("https://example.com/ü", "url"),
        ("https://example.com/?ü", "url"),
        ("https://example.com/" + "a" * 2_048, "url"),
    ],
)
def test_a_malformed_url_is_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(InvalidUrlError) as refused:
        parse_url(text)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "path",
    [
        # reapit/foundations#5234, apache/hertzbeat#3778, appwrite/appwrite#13196,
        # SmartThingsCommunity/smartapp-sdk-nodejs#255
        "/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=a-B_c",
        "/api/hook?code=my-R4nd0mCode==",
        "/a/../b/./c//d;p=1?x=%20%2B+%e9&y[]=1&z={id}|^",
        "/hook?",
        "/?",
    ],
)
def test_path_and_query_stay_unchanged(path: str) -> None:
    url = parse_url(f"https://example.com{path}")

    assert url.path == path
    assert url.text == f"https://example.com{path}"
