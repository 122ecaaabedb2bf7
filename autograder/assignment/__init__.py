"""The assignment as data: the manifest, the limits, the reference and its stubs."""
