"""A class: its gradebook, what is adjusted by hand, the processes that grade, and the run that brings them together."""
