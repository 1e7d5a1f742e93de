"""The trust boundary: student code runs in a confined child of a warm process, and only bytes come back.

    grader ──request, descriptors──► warm process ──fork──► child: confine; read a payload, run it, send frames; again
       │──────────────── payloads: a file in memory, and an order for each ──────────────►│
       ◄───────────────── frames, output: pipes straight from the child ──────────────────┘

`policy` says what a child may do and use; `confine` enforces it; `canary` proves it at every start.
"""

from __future__ import annotations

from autograder.sandbox.box import Sandbox
from autograder.sandbox.outcome import Ending, Outcome, SandboxFault
from autograder.sandbox.policy import ALLOWANCE, DEFAULT, Allowance, Isolation, Limits

__all__ = ["ALLOWANCE", "DEFAULT", "Allowance", "Ending", "Isolation", "Limits", "Outcome", "Sandbox", "SandboxFault"]
