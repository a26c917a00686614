"""functions/maintenance: on a schedule, takes away what a crash left behind."""

from webhooks.bootstrap.maintenance import compose

app = compose()
lambda_handler = app.cleanup.handle
