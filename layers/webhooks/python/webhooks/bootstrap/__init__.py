"""The composition roots, one module for each function: the only place that knows ports and their adapters."""
