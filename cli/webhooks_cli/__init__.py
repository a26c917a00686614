"""The `webhooks` command, for tenants and operators. No layer contains it."""

__version__ = "0.9.0"  # of the whole project: both pyproject.toml read it here, a build shows it in /healthz
API_VERSION = "1.00.11.02"  # of the Webhooks API specification
