"""Pydantic models of requests and responses, with camelCase names."""
