"""The code that runs inside the sandbox, in one process with the student's code. It contains no answer and no secret.

Only this folder is mounted there, so its modules must not import other parts of the autograder.
"""
