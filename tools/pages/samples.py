"""Samples of an operation in cURL, Node.js and Python, complete: they run as they are."""

import json
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tools.pages.openapi import Operation

# The page's script puts the deployment's own in its place.
BASE = "https://webhooks.example.com/prod"
FLAT = 60  # a list or an object of this length stays on its line


class Sample(NamedTuple):
    """A program that sends a request."""

    language: str
    text: str


NODE_KEY = """\
// Node.js 18 or newer. KEY_ID, KEY_SECRET (base64) and LICENSE are environment variables.
import { %s } from "node:crypto";

const API = "%s";
const { KEY_ID, KEY_SECRET, LICENSE } = process.env;

// The key: X of ECDH(your private key, the service's public key).
const get = async (path) => (await fetch(API + path)).json();
const { publicKey } = await get("/publickeys");
const ecdh = createECDH((await get("/environment")).EC_CURVE_NAME);
ecdh.setPrivateKey(KEY_SECRET, "base64");
const key = ecdh.computeSecret(Buffer.concat([Buffer.from([4]), Buffer.from(publicKey, "base64")]));

function encrypt(text) {
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  return Buffer.concat([iv, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString("base64");
}
"""
NODE_DECRYPT = """
function decrypt(envelope) {
  const raw = Buffer.from(envelope, "base64");
  const cipher = createDecipheriv("aes-256-gcm", key, raw.subarray(0, 16)).setAuthTag(raw.subarray(-16));
  return Buffer.concat([cipher.update(raw.subarray(16, -16)), cipher.final()]).toString();
}
"""
NODE_HEADERS = """\
    publickey: KEY_ID,
    licensekey: encrypt(LICENSE),
    requestid: encrypt(
      JSON.stringify({ appid: "sample", uuid: randomUUID(), ts: Math.floor(Date.now() / 1000) }),
    ),
"""
PYTHON_KEY = """\
# Python 3.9 or newer, and pip install cryptography.
# KEY_ID, KEY_SECRET (base64) and LICENSE are environment variables.
import base64, json, os, time, urllib.error, urllib.request, uuid

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

API = "%s"

def get(path):
    return json.load(urllib.request.urlopen(API + path))

# The key: X of ECDH(your private key, the service's public key).
curves = {"secp256k1": ec.SECP256K1(), "prime256v1": ec.SECP256R1()}
curve = curves[get("/environment")["EC_CURVE_NAME"]]
secret = int.from_bytes(base64.b64decode(os.environ["KEY_SECRET"]), "big")
point = b"\\x04" + base64.b64decode(get("/publickeys")["publicKey"])
service = ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
key = AESGCM(ec.derive_private_key(secret, curve).exchange(ec.ECDH(), service))

def encrypt(text):
    iv = os.urandom(16)
    return base64.b64encode(iv + key.encrypt(iv, text.encode(), None)).decode()
"""
PYTHON_DECRYPT = """
def decrypt(envelope):
    raw = base64.b64decode(envelope)
    return key.decrypt(raw[:16], raw[16:], None).decode()
"""
PYTHON_HEADERS = """\
    "publickey": os.environ["KEY_ID"],
    "licensekey": encrypt(os.environ["LICENSE"]),
    "requestid": encrypt(
        json.dumps({"appid": "sample", "uuid": str(uuid.uuid4()), "ts": int(time.time())})
    ),
"""
PYTHON_SEND = """\
try:
    response = urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    response = error
text = response.read().decode()
print(response.status, text)
"""


def samples(
    operation: Operation, *, base: str = BASE, values: Mapping[str, str] | None = None
) -> tuple[Sample, ...]:
    """Return a sample in each language. `values`: of path parameters, as they stand in a URL."""
    path = operation.path
    for name, example in operation.examples().items():
        path = path.replace(f"{{{name}}}", (values or {}).get(name, quoted(example)))
    return (
        Sample("cURL", _curl(operation, base, path)),
        Sample("Node.js", _node(operation, base, path)),
        Sample("Python", _python(operation, base, path)),
    )


def quoted(value: str) -> str:
    """Return a path parameter as it stands in a URL."""
    return urllib.parse.quote(value, safe="")


def _curl(operation: Operation, base: str, path: str) -> str:
    lines = [f"curl -X {operation.method} '{base}{path}'"]
    if operation.is_secured:
        # The command takes the license from WEBHOOKS_LICENSE, and makes a key pair.
        lines = [f"webhooks headers --plain --url '{base}' | {lines[0]}", "-H @-"]
    if operation.body is not None:
        body = as_json(operation.example).replace("'", "'\\''")
        lines += ["-H 'content-type: application/json'", f"-d '{body}'"]
    text = " \\\n  ".join(lines) + "\n"
    if not operation.is_secured:
        return text
    return f"# `webhooks headers` encrypts the headers; your license is in WEBHOOKS_LICENSE.\n{text}"


def _node(operation: Operation, base: str, path: str) -> str:
    text = f'const API = "{base}";\n'
    if operation.is_secured:
        names = ["createCipheriv", "createECDH", "randomBytes", "randomUUID"]
        names += ["createDecipheriv"] if operation.has_secret else []
        text = NODE_KEY % (", ".join(sorted(names)), base)
        text += NODE_DECRYPT if operation.has_secret else ""
    headers = NODE_HEADERS if operation.is_secured else ""
    headers += '    "content-type": "application/json",\n' if operation.body is not None else ""
    options = f'  method: "{operation.method}",\n'
    options += f"  headers: {{\n{headers}  }},\n" if headers else ""
    if operation.body is not None:
        options += f"  body: JSON.stringify({as_json(operation.example, '  ')}),\n"
    text += f'\nconst response = await fetch(API + "{path}", {{\n{options}}});\n'
    text += "const text = await response.text();\nconsole.log(response.status, text);\n"
    if operation.has_secret:
        text += "if (response.ok) console.log(decrypt(JSON.parse(text).signingSecret));\n"
    return text


def _python(operation: Operation, base: str, path: str) -> str:
    text = f'import json, urllib.error, urllib.request\n\nAPI = "{base}"\n'
    if operation.is_secured:
        text = PYTHON_KEY % base + (PYTHON_DECRYPT if operation.has_secret else "")
    elif operation.body is None:
        text = text.replace("json, ", "")
    headers = PYTHON_HEADERS if operation.is_secured else ""
    headers += '    "content-type": "application/json",\n' if operation.body is not None else ""
    text += f"\nheaders = {{\n{headers}}}\n" if headers else "\n"
    given = f'    API + "{path}",\n    method="{operation.method}",\n'
    given += "    headers=headers,\n" if headers else ""
    if operation.body is not None:
        text += f"body = {as_python(operation.example)}\n"
        given += "    data=json.dumps(body).encode(),\n"
    text += f"request = urllib.request.Request(\n{given})\n{PYTHON_SEND}"
    if operation.has_secret:
        text += 'if response.status == 200:\n    print(decrypt(json.loads(text)["signingSecret"]))\n'
    return text


def as_json(value: Any, indent: str = "") -> str:
    """Return a value as JSON, over several lines where it is long."""
    return _laid_out(value, json.dumps, indent=indent, step="  ", end="")


def as_python(value: Any) -> str:
    """Return a JSON value as Python writes it, over several lines where it is long."""
    return _laid_out(value, lambda each: json.dumps(each) if isinstance(each, str) else repr(each))


def _laid_out(
    value: Any, scalar: Callable[[Any], str], *, indent: str = "", step: str = "    ", end: str = ","
) -> str:
    inner = indent + step
    match value:
        case dict() if value:
            marks = "{}"
            items = [
                f"{json.dumps(name)}: {_laid_out(each, scalar, indent=inner, step=step, end=end)}"
                for name, each in value.items()
            ]
        case list() if value:
            marks = "[]"
            items = [_laid_out(each, scalar, indent=inner, step=step, end=end) for each in value]
        case _:
            return scalar(value)
    one_line = f"{marks[0]}{', '.join(items)}{marks[1]}"
    if "\n" not in one_line and len(one_line) <= FLAT:
        return one_line
    lines = f",\n{inner}".join(items)
    return f"{marks[0]}\n{inner}{lines}{end}\n{indent}{marks[1]}"
