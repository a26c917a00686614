"""functions/maintenance: the orphan cleanup, on a schedule."""

from webhooks.bootstrap.maintenance import compose

lambda_handler = compose().handle
