"""How busy this machine is."""

import os


def is_loaded() -> bool:
    """Say whether more processes want to run than there are processors, whoever started them."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)
