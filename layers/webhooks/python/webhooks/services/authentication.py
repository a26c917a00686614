"""Authenticates callers by the three request headers of the protocol and the license behind them."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

from signing import Curve, PrivateKey, PublicKey, SigningError, shared_key, unseal
from webhooks.domain.caller import Caller
from webhooks.domain.errors import UnauthenticatedError
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type
from webhooks.ports import Clock, KeyStore, Licenses

HEADERS = ("licensekey", "requestid", "publickey")
RAW_HEADERS = ("license", "keyid", "keysecret")
ROUNDING = 0.5  # clients that round `ts` put it up to half a second ahead
KNOWN_CALLERS = 1024  # ECDH is the costly step, and the same callers come again
REREAD_AFTER = 5  # seconds between reads of the keys for envelopes that no known key opens
RAW_APP_ID = "raw-credential-headers"


@value_type(frozen=True, slots=True)
class Opened:
    """The content of the headers."""

    app_id: str
    request_uuid: str | None
    public_key: PublicKey
    license_key: str
    service_key: PrivateKey
    shared_key: bytes
    request_ts: float | None = None


class Authentication:
    """Authenticates requests. `allowed_time_span` in seconds; `raw_headers`: take raw credentials where the
    encrypted headers are absent.
    """

    def __init__(
        self,
        *,
        keys: KeyStore,
        licenses: Licenses,
        clock: Clock,
        allowed_time_span: int,
        raw_headers: bool,
    ) -> None:
        self._keys = keys
        self._licenses = licenses
        self._clock = clock
        self._allowed_time_span = allowed_time_span
        self._raw_headers = raw_headers
        self._shared_key = lru_cache(KNOWN_CALLERS)(shared_key)
        self._reread_at = 0.0

    def authenticate(self, headers: Mapping[str, str], scope: Scope | None) -> Caller:
        """Return the caller. Header names in lower case; the scope where the request is for a community.

        Raises UnauthenticatedError with what is wrong; the text never holds a key or a license.
        """
        now = self._clock()
        opened = self._open(headers, now)
        license_ = self._licenses.find(opened.license_key, scope)
        if license_ is None or not license_.holds(now):
            raise UnauthenticatedError("licensekey: this license is unknown, expired or disabled")
        return Caller(
            app_id=opened.app_id,
            request_uuid=opened.request_uuid,
            public_key=opened.public_key,
            license=license_,
            service_key=opened.service_key.public_key,
            shared_key=opened.shared_key,
            request_ts=opened.request_ts,
        )

    def _open(self, headers: Mapping[str, str], now: float) -> Opened:
        given = [name for name in HEADERS if headers.get(name)]
        if not given and any(headers.get(name) for name in RAW_HEADERS):
            return self._open_raw(headers, now)
        if missing := [name for name in HEADERS if name not in given]:
            raise UnauthenticatedError(
                f"missing header: {', '.join(missing)}; send licensekey, requestid and publickey"
            )
        service_key, key, public_key, request_id = self._open_request_id(headers, now)
        try:
            license_key = unseal(key, headers["licensekey"])
        except SigningError:
            license_key = None
        app_id, uuid, ts = _read_request_id(request_id)
        if not abs(now - ts) <= self._allowed_time_span + ROUNDING:  # so that NaN is outside
            raise UnauthenticatedError(
                f"requestid: ts must be epoch seconds within {self._allowed_time_span} seconds of now"
            )
        if license_key is None:
            raise UnauthenticatedError("licensekey: must be encrypted with the same keys as requestid")
        return Opened(app_id, uuid, public_key, license_key, service_key, key, ts)

    def _open_request_id(
        self, headers: Mapping[str, str], now: float
    ) -> tuple[PrivateKey, bytes, PublicKey, str]:
        readable = self._keys.read().readable(now)
        public_key = _public_key(headers["publickey"], readable[0].curve)
        opened = self._try(readable, public_key, headers["requestid"])
        if opened is None and now - self._reread_at >= REREAD_AFTER:
            # Another instance may have just reset the keys: read them again before refusing, but not
            # for each of many envelopes that no key opens.
            self._reread_at = now
            opened = self._try(self._keys.read_now().readable(now), public_key, headers["requestid"])
        if opened is None:
            raise UnauthenticatedError(
                "requestid: must be encrypted with your private key and the service's key that /publickeys "
                "shows"
            )
        service_key, key, request_id = opened
        return service_key, key, public_key, request_id

    def _try(
        self, service_keys: Sequence[PrivateKey], public_key: PublicKey, envelope: str
    ) -> tuple[PrivateKey, bytes, str] | None:
        for service_key in service_keys:
            key = self._shared_key(service_key, public_key)
            try:
                return service_key, key, unseal(key, envelope)
            except SigningError:
                continue
        return None

    def _open_raw(self, headers: Mapping[str, str], now: float) -> Opened:
        if not self._raw_headers:
            raise UnauthenticatedError(
                "keyId, keySecret and license are not accepted here, a private key should never be sent: "
                "send licensekey, requestid and publickey, made from them"
            )
        if missing := [name for name in RAW_HEADERS if not headers.get(name)]:
            raise UnauthenticatedError(
                f"missing header: {', '.join(missing)}; send keyId, keySecret and license"
            )
        service_key = self._keys.read().in_use(now)
        public_key = _public_key(headers["keyid"], service_key.curve, header="keyId")
        try:
            matches = PrivateKey.from_base64(headers["keysecret"], service_key.curve).public_key == public_key
        except SigningError:
            matches = False
        if not matches:
            raise UnauthenticatedError("keySecret: must be the private key that belongs to keyId, in base64")
        key = self._shared_key(service_key, public_key)
        return Opened(RAW_APP_ID, None, public_key, headers["license"], service_key, key)


def _public_key(text: str, curve: Curve, *, header: str = "publickey") -> PublicKey:
    try:
        return _known_public_key(text, curve)
    except SigningError:
        raise UnauthenticatedError(
            f"{header}: must be the base64 of the 64 bytes X||Y of a point on {curve.value}"
        ) from None


@lru_cache(KNOWN_CALLERS)  # validating a point takes a modular square root, a fifth of a request's CPU
def _known_public_key(text: str, curve: Curve) -> PublicKey:
    return PublicKey.from_base64(text, curve)


def _read_request_id(text: str) -> tuple[str, str, float]:
    wrong = 'requestid: must hold JSON {"ts": epoch seconds, "appid": string, "uuid": string}'
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise UnauthenticatedError(wrong) from None
    if not isinstance(content, dict):
        raise UnauthenticatedError(wrong)
    app_id = content.get("appid", content.get("appId"))
    uuid, ts = content.get("uuid"), content.get("ts")
    if not isinstance(app_id, str) or not isinstance(uuid, str):
        raise UnauthenticatedError(wrong)
    if isinstance(ts, bool) or not isinstance(ts, int | float):
        raise UnauthenticatedError(wrong)
    try:
        return app_id, uuid, float(ts)
    except OverflowError:
        raise UnauthenticatedError(wrong) from None
