"""Golden reports: what the grader says of fixed submissions, so that a change of the code shows as a change here."""
