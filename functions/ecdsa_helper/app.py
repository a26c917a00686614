"""functions/ecdsa_helper: encrypts and decrypts a text with two keys, to try the protocol out."""

from webhooks.bootstrap.ecdsa_helper import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.domain.errors import InvalidInputError
from webhooks.entrypoints.api.powertools import Response
from webhooks.entrypoints.api.request import ApiRequest
from webhooks.entrypoints.api.resolver import RestApi, json_response
from webhooks.entrypoints.api.schemas.ecdsa import EcdsaIn
from webhooks.entrypoints.api.schemas.validate import read
from webhooks.entrypoints.probe import probed
from webhooks.services.ecdsa_helper import EcdsaHelper

ENCRYPT, DECRYPT = "encrypt", "decrypt"


def routes(helper: EcdsaHelper) -> RestApi:
    """Return the API over the use case."""
    api = RestApi(invocation)

    @api.post("/ecdsa_helper/<method>")
    def convert(request: ApiRequest, method: str) -> Response[str]:
        ways = {ENCRYPT: helper.encrypt, DECRYPT: helper.decrypt}
        if method not in ways:
            raise InvalidInputError([f"method: must be {ENCRYPT} or {DECRYPT}"])
        asked = read(EcdsaIn, request.json_object())
        converted = ways[method](asked.data or "", public_key=asked.public_key, private_key=asked.private_key)
        return json_response({"data": converted.text, "publicKey": converted.public_key})

    @api.post("/ecdsa_helper")
    def convert_by_default(request: ApiRequest) -> Response[str]:
        return convert(request, ENCRYPT)

    return api


lambda_handler = probed(routes(compose()).handle, {}, invocation)
