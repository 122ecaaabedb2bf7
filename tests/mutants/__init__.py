"""Wrong versions of the reference solution, made by rules, to find mistakes that the judge does not detect."""
