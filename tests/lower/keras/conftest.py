"""Keras runs on PyTorch here, unless it is told otherwise before: on JAX it computes the same."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
