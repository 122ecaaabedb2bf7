"""Tables in pages that are written by hand: each goes between two lines of its page."""


def write_between(path, start, end, text):
    """Put a text between the lines `start` and `end` of a Markdown file; SystemExit where there are none."""
    before, started, rest = path.read_text().partition(start)
    _, ended, after = rest.partition(end)
    if not started or not ended:
        raise SystemExit(
            f"{path}: there are no lines {start} and {end} to write between. Add them, or name a new file."
        )
    path.write_text(f"{before}{start}\n{text}\n{end}{after}")
