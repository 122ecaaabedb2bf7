"""Wrong versions of the reference solution, made by rule, to find out what the judge does not see."""
