"""The proof of the graders, `make certify`: right answers earn all; wrong ones are caught and explained."""
