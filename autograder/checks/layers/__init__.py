"""Checks of cs231n/layers.py, one file for each family of layers."""
