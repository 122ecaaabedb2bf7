"""What runs inside the sandbox, beside the student's code. It holds no answer and no secret.

This folder alone is mounted there, so nothing in it may import from the rest of the autograder.
"""
