"""The commands, one file each; cli.py defines their options.

Each command is imported when it is called: `autograder check` loads no nbgrader, and `autograder --help` loads nothing.
"""
