"""The `webhooks` command, for tenants and operators. It is never in a layer."""
