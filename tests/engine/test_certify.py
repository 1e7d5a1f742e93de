"""The proof itself: it must be able to fail, and mistakes must be recognised in whatever company they come."""

from __future__ import annotations

import re

from autograder import corpus
from autograder.certify.__main__ import main
from autograder.certify.cases import cases
from autograder.certify.mutants import mutants


def test_weakened_check_is_found_out(capsys):
    """Without one check the proof fails, and names the misconceptions that slip through."""
    some = ["--question", "q4", "--every", "2"]
    assert main(["--only", "corpus", *some, "--without", "q4.test_lstm_layer"]) == 1
    printed = capsys.readouterr().out
    tried = [case.id for case in cases() if case.question == "q4"][::2]
    slipping = [one.id for one in corpus.misconceptions() if one.catches == "test_lstm_layer" and one.id in tried]
    assert len(slipping) >= 3
    for name in slipping:
        assert re.search(rf"FAIL misconception +{name} .*\n +slips through test_lstm_layer|{name} .*\n.*keeps", printed)


def test_mutants_and_seeds_are_judged_as_they_must_be(run_module):
    """Every tenth mutant is caught or known to be equivalent; verdicts do not depend on seeds."""
    found = run_module("autograder.certify", "--only", "mutants", "stability", "--every", "10", "--seeds", "2")
    assert re.search(r"mutants +(\d+) of +\1 that change the answer are caught \(100.0%\)", found)
    assert re.search(r"stability +(\d+) of +\1 answers judged as they must be, under 2 seeds", found)


def test_grades_do_not_depend_on_how_they_are_come_by(run_module):
    """Some of the corpus by two workers, by one, on a cluster, from evidence, among hostile ones."""
    some = ("--question", "q5", "--every", "12")
    found = run_module("autograder.certify", "--only", "ways", *some, "--workers", "2")
    for way in ("from kept evidence, nothing run", "one worker", "a Dask cluster", "among hostile submissions"):
        assert re.search(rf"^{way}.* (\d+) of +\1$", found, re.MULTILINE)


def test_mutants_differ_from_the_reference_and_from_one_another():
    """Each is a change, and each only once."""
    codes = [(mutant.question, mutant.code) for mutant in mutants()]
    assert len(codes) == len(set(codes)) > 500


def test_mistakes_are_recognised_in_company_and_cost_their_own_question(run_module):
    """Beside right answers in other words, and beside an earlier mistake; the exit status says that it holds."""
    found = run_module("autograder.certify", "--only", "company", "--every", "9")
    for company in ("right answers in other words", "an earlier mistake"):
        assert re.search(rf"^beside {company}: (\d+) of \1 mistakes explained", found, re.MULTILINE)
