"""A reset of the service's key. Runs last: callbacks take up the new key within a minute only."""

from urllib.parse import quote

from tests import plain_protocol as protocol
from tests.e2e.platform_client import PlatformClient


def test_a_reset_key_is_still_read_for_its_grace(system: PlatformClient):
    before = system.plain("GET", "/publickeys").json["publicKey"]
    cached = PlatformClient(system.api_url, system.license_key)
    assert cached.service_key == before
    tags = {each["tag"]: each for each in cached.call("GET", "/servicekeys").json}
    assert set(tags) == {"service", "signing"}
    old = protocol.read_key_pair(cached.unseal(tags["service"]["keySecret"]))
    assert old.public == before

    [reset] = cached.call("DELETE", f"/servicekey/{quote(before, safe='')}").json

    assert protocol.read_key_pair(cached.unseal(reset["keySecret"])).public == reset["keyId"] != before
    assert cached.call("DELETE", f"/servicekey/{quote(before, safe='')}").status == 404
    assert cached.call("POST", "webhooks/fetch", {}).status == 200
    fresh = PlatformClient(system.api_url, system.license_key)
    fresh.service_key = reset["keyId"]
    assert fresh.call("POST", "webhooks/fetch", {}).status == 200
