"""Why an answer is wrong: pure functions from attempts to findings."""
