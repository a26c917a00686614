"""Composes functions/ecdsa_helper: a curve and random bytes, no AWS."""

from webhooks.bootstrap import runtime
from webhooks.services.ecdsa_helper import EcdsaHelper
from webhooks.settings import EcdsaHelperSettings


def compose() -> EcdsaHelper:
    """Return the use case."""
    runtime.log()
    return EcdsaHelper(EcdsaHelperSettings.load().curve, random_bytes=runtime.random_bytes)
