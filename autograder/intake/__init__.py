"""Intake: what a platform gave, to one submission per person and the rest set aside."""

from autograder.intake.choice import Entry
from autograder.intake.collect import Intake, collect, one
from autograder.intake.evidence import Assignment
from autograder.intake.files import IntakeError
from autograder.intake.owners import SetAside
from autograder.intake.roster import Joined, Listed, RosterError, join, read_roster

__all__ = ["Assignment", "Entry", "Intake", "IntakeError", "Joined", "Listed", "RosterError", "SetAside"]
__all__ += ["collect", "join", "one", "read_roster"]
