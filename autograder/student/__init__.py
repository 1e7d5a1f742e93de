"""What runs beside student code, in the confined process: it executes statements and takes down what names hold."""

from autograder.student.execute import main
from autograder.student.warm import warm

__all__ = ["main", "warm"]
