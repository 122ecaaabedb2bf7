"""Gradient checkers compared: what each catches of planted bugs, and what each says of right code."""
