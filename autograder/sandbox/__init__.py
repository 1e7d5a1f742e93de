"""The trust boundary: student code runs in a confined child of a warm process, and only bytes come back.

    grader ── limits, payload, pipe ──► warm process ──fork──► child: confine, run the entry on the payload, end
       ◄─────────────────────── frames, straight from the child ──────────────────────┘

`policy` says what a child may do and use, `confine` enforces it, and the `canary` proves it at every start.
"""

from autograder.sandbox.box import Outcome, Sandbox, SandboxFault
from autograder.sandbox.policy import ALLOWANCE, Allowance, Limits

__all__ = ["ALLOWANCE", "Allowance", "Limits", "Outcome", "Sandbox", "SandboxFault"]
