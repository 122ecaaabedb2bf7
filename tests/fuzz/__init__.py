"""Broken hand-ins by the thousand: made from a seed, handed to the judge, and never the cause of a crash."""
