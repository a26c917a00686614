from signing import seal
from webhooks_cli.envelopes import open_envelopes

KEY, OTHER = bytes(32), bytes([1]) * 32


def sealed(text: str, key: bytes = KEY) -> str:
    return seal(key, text, bytes(16))


def test_credentials_and_secrets_are_opened_at_any_depth() -> None:
    response = {
        "data": [
            {"api": {"url": "u", "credential": {"token": sealed("t"), "oauth2": {"clientId": sealed("c")}}}}
        ],
        "signingSecret": sealed("whsec_x"),
    }
    opened, closed = open_envelopes(response, KEY)
    assert opened == {
        "data": [{"api": {"url": "u", "credential": {"token": "t", "oauth2": {"clientId": "c"}}}}],
        "signingSecret": "whsec_x",
    }
    assert closed == []
    assert open_envelopes([{"keySecret": sealed("k")}], KEY) == ([{"keySecret": "k"}], [])


def test_an_envelope_for_another_key_stays_and_is_named() -> None:
    response = [{"keySecret": sealed("k", OTHER)}, {"credential": {"token": "plain"}}]
    assert open_envelopes(response, KEY) == (response, ["[0].keySecret", "[1].credential.token"])


def test_other_fields_stay_unchanged() -> None:
    response = {"name": sealed("x"), "signingSecret": None, "keySecret": 3, "credential": {"n": 1}}
    assert open_envelopes(response, KEY) == (response, [])
