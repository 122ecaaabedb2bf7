"""Writing sentences."""


def listed(texts):
    """Write "a", "a and b" or "a, b and c"."""
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))
