#!/usr/bin/env bash
# Runs once, as root, while Gradescope builds the image.
set -euo pipefail
cd "$(dirname "$0")"
apt-get update
apt-get install --yes python3-venv
python3 -m venv .venv
# PyTorch alone comes from its own index, which has a build without CUDA, a tenth of the size; all else from PyPI.
.venv/bin/python -m pip install --no-deps --index-url https://download.pytorch.org/whl/cpu "$(grep '^torch==' constraints.txt)"
.venv/bin/python -m pip install --constraint constraints.txt --editable .
