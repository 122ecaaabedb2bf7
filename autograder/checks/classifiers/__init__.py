"""Checks of the classifiers."""
