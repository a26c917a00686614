"""The composition root: a module for each function, over builders that they share.

`compose(settings, aws)` returns the function's app: its use cases, and the parts that a test may need.
Settings come from the environment and clients are new, unless they are given. `close()` closes all that
`compose` opened itself. No other package knows ports and their adapters.
"""
