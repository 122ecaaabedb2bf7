"""The report as data, and its renderers: HTML pages and the terminal."""
