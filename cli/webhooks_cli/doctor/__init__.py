"""Checks of a deployment's configuration and readiness, one module for each kind."""
