"""Builds the console and the reference page from web/ into functions/console/: `make pages` runs this."""
