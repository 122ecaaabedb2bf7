"""The report: its data, the version for students, and how it is shown as HTML and on a terminal."""
