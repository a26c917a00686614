"""Composes functions/ecdsa_helper: a curve and random bytes, no AWS."""

from webhooks.bootstrap.runtime import random_bytes, start
from webhooks.services.ecdsa_helper import EcdsaHelper
from webhooks.settings import EcdsaHelperSettings


def compose(settings: EcdsaHelperSettings | None = None) -> EcdsaHelper:
    settings = start(EcdsaHelperSettings, settings)
    return EcdsaHelper(settings.curve, random_bytes=random_bytes)
