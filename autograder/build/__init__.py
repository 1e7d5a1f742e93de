"""The build: from the master in `solutions/rnn.py` to everything that people open.

The master's cells (`master`) become notebooks (`notebook`), and tests/public the checks beside them (`checks`); all of
it is written to assignment/ and solutions/, and into the zip for Gradescope (`bundle`).
"""
