"""The local stack: an AWS emulator as an ordinary process, and the real template deployed into it.

For developers and for the end-to-end tests; never in a layer.
"""
