"""Releases: the version, the artefacts, the notes, the tag."""
