"""Sample submissions, and the demo course whose class they are. Imported by commands and tests only.

`sample` builds a submission from the reference and a few changes, `load` reads the samples of `tests/submissions/`,
`special_files` makes files that text cannot describe: links, pipes, devices.
"""
