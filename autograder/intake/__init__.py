"""Intake: what a platform gave, to one submission per person and the rest set aside."""

from autograder.intake.archives import Refused
from autograder.intake.choice import Entry
from autograder.intake.collect import Intake, SetAside, collect, one
from autograder.intake.notebook import Assignment
from autograder.intake.roster import Listed, join, read_roster

__all__ = ["Assignment", "Entry", "Intake", "Listed", "Refused", "SetAside", "collect", "join", "one", "read_roster"]
