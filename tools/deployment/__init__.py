"""Deploys to AWS: asks for settings without a good default, and keeps the answers in samconfig.toml."""
