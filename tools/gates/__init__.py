"""The gates of `make test`: the template, dependencies, secrets, workflows and built artefacts."""
