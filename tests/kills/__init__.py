"""Commands that are killed: whatever the moment, the next run ends where an undisturbed one does."""
