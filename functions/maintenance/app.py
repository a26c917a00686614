"""functions/maintenance: on schedules, deletes orphaned secrets, and restarts what a crash stopped."""

from webhooks.bootstrap.maintenance import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.probe import probed

app = compose()
lambda_handler = probed(app.schedule.handle, app.probes, invocation)
