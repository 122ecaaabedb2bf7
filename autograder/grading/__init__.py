"""One submission: attempts, retries, blame, diagnosis, verdicts, points, report."""
