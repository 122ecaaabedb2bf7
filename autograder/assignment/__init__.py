"""What is asked: the manifest, the limits, the reference solution and its stubs."""
