"""Golden reports: the expected reports of fixed submissions; they show every change of the grader's results."""
