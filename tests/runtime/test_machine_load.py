"""A machine is loaded if it has more running processes than processors."""

import os

import pytest

from autograder.runtime.machine_load import is_loaded


@pytest.mark.parametrize("more, loaded", [(-0.5, False), (0, False), (0.5, True)])
def test_a_machine_with_more_to_do_than_processors_is_loaded(more, loaded, monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: ((os.cpu_count() or 1) + more, 0, 0))
    assert is_loaded() == loaded
