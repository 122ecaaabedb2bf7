"""Commands that are killed at any moment: the next run must end in the same state as an undisturbed run."""
