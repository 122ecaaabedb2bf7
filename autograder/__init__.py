"""The autograder: from one reference solution to a student release, and from a class of submissions to grades."""

__version__ = "0.5.0"
