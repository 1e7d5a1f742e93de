"""An autograder for notebooks: student code runs confined, its values are compared with the reference's."""

__version__ = "1.0.0"
