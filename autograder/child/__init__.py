"""What happens inside the sandbox: run the statements of a submission, take down what its names hold."""

from autograder.child.run import main, warm

__all__ = ["main", "warm"]
