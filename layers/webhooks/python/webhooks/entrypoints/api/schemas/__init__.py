"""What goes over the wire, in its camelCase names: pydantic models of requests and answers."""
