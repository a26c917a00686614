"""functions/maintenance: deletes orphaned secrets on a schedule."""

from webhooks.bootstrap.maintenance import compose

app = compose()
lambda_handler = app.cleanup.handle
