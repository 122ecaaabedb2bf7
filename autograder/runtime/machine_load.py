"""The load of this machine."""

import os


def is_loaded() -> bool:
    """Return whether the machine has more running processes, of all users, than processors."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)
