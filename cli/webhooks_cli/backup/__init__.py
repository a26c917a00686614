"""Backups of a deployment: read from one, kept in an encrypted file, restored into another.

A file has the webhooks and not their index: a restore makes the index from them, so that both agree however
the table changed while it was read.
"""
