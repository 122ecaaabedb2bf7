"""A course directory with nbgrader: its gradebook, reports, export and preprocessors."""

from autograder.course.course import Course, configure

__all__ = ["Course", "configure"]
