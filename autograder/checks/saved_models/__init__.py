"""Checks of the saved models: the accuracy of trained nets on hidden images."""
