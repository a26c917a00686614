"""Cells: several stacks that share the tenants of one platform, and a directory that names each tenant's.

A tenant moves from one cell to another under traffic; each step is recorded in the directory, and can be
repeated.
"""
