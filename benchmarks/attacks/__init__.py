"""Attacks and broken submissions tried on three graders: what each holds, and what each lets through."""
