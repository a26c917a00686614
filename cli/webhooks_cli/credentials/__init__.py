"""The two forms of webhooks' credentials: a secret for each, or sealed in its webhook's item."""
