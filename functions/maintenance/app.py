"""functions/maintenance: on a schedule, takes away what a crash left behind."""

from webhooks.bootstrap.maintenance import compose

lambda_handler = compose().handle
