"""Mutants: wrong versions of right code, each with one small mistake that an operator makes."""
