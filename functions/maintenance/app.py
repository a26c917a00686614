"""functions/maintenance: deletes orphaned secrets on a schedule."""

from webhooks.bootstrap.maintenance import compose

lambda_handler = compose().handle
