"""Attacks and broken hand-ins tried on three graders: what each holds, and what each lets through."""
