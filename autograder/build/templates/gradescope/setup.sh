#!/usr/bin/env bash
# Runs once, as root, while Gradescope builds the image.
set -euo pipefail
cd "$(dirname "$0")"
apt-get update
apt-get install --yes python3-venv
python3 -m venv .venv
# PyTorch's own index has a build without CUDA, a tenth of the size; where it is listed, pip prefers it.
.venv/bin/python -m pip install --constraint constraints.txt \
    --extra-index-url https://download.pytorch.org/whl/cpu --editable .
