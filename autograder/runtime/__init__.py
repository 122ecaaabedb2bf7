"""Files, locks, temporary folders, signals and text for all other packages. This package knows nothing of grading."""
