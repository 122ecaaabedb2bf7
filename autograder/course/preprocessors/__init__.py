"""Preprocessors for nbgrader's autograde, one transformation in each file.

nbgrader_config.py names them. A preprocessor that raises stops nbgrader's step and undoes it; a hook would be ignored.
"""

from typing import Any

from nbgrader.preprocessors import NbGraderPreprocessor


def find_converter(preprocessor: NbGraderPreprocessor) -> Any:
    """Return the nbgrader converter that registered a preprocessor, through nbconvert's exporter."""
    exporter: Any = preprocessor.parent
    return exporter.parent
