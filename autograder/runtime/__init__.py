"""Files, locks, temporary folders, signals and text: what every stage needs. Knows nothing of grading."""
