"""Pydantic models of requests and responses, with the wire's camelCase names."""
