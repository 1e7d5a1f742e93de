"""What proves the graders and measures them; not shipped to students or to Gradescope."""
