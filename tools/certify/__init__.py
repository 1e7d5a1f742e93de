"""The proof of the graders, `make certify`: right answers earn all, wrong ones are caught, explained, cost their own.

Beside the corpus it holds what the rest of the proof is made from: mutants, attacks, and other ways to a grade.
"""
