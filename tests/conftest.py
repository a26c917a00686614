"""Settings of every test."""

from hypothesis import settings

# An example may take its time on a busy machine: no time is a test.
settings.register_profile("webhooks", deadline=None)
settings.load_profile("webhooks")
