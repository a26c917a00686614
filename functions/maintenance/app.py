"""functions/maintenance: on schedules, deletes orphaned secrets, and restarts what a crash stopped."""

from webhooks.bootstrap.maintenance import compose

app = compose()
lambda_handler = app.schedule.handle
