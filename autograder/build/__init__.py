"""The build: from the master in `solutions/rnn.py` to everything that people open.

The master's cells (`master`) and the public checks (`checks`) go through Otter Assign (`otter_assign`) and become
notebooks (`notebook`), which are written to assignment/ and solutions/ (`tree`).
"""
