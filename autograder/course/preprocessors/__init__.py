"""Preprocessors for nbgrader: where this kit plugs into generate_assignment and autograde, one transformation a file.

nbgrader_config.py names them. A preprocessor that raises stops nbgrader's step and undoes it; a hook would be ignored.
"""


def converter_of(preprocessor):
    """Return the nbgrader converter that a preprocessor was registered by, through nbconvert's exporter."""
    return preprocessor.parent.parent
