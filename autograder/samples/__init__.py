"""Sample submissions, and the demo course whose students submit them. Only commands and tests import this package.

- `sample` builds a submission from the reference and a few changes.
- `load` reads the sample submissions of `tests/submissions/`.
- `special_files` makes files that are not plain text: links, pipes, devices.
- `demo_course` makes the demo course.
"""
