"""The commands, one file each: what `autograder NAME` does, given its options. cli.py holds the options.

A command is imported when it is called: `autograder check` loads no nbgrader, and `autograder --help` loads nothing.
"""
