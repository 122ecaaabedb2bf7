"""The student release: built, scanned for leaks, published."""
