"""Turn files of students, which nobody trusts, into Submissions."""
