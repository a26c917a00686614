"""Runs the Python sample for each case on standard input."""

import base64
import importlib.util
import sys


def main() -> None:
    spec = importlib.util.spec_from_file_location("verify", sys.argv[1])
    assert spec
    assert spec.loader
    sample = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sample)
    for line in sys.stdin:
        kind, key, url, now, body, given = line.rstrip("\n").split("\t")
        headers = {
            name: base64.b64decode(value).decode()
            for name, _, value in (each.partition(":") for each in given.split(",") if each)
        }
        data = base64.b64decode(body)
        if kind == "secret":
            holds = sample.verify_with_secret(key, headers, data, int(now))
        else:
            keys = [dict(zip(("kid", "x", "y"), each.split(" "), strict=True)) for each in key.split("|")]
            holds = sample.verify_with_jwks({"keys": keys}, url, headers, data, int(now))
        print("true" if holds else "false")  # noqa: T201 - the test reads it


main()
