"""functions/recovery: on a schedule, takes away what a crash left behind."""

from webhooks.bootstrap.recovery import compose

lambda_handler = compose().handle
