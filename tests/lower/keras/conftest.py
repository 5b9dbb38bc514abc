"""Keras runs on PyTorch here, unless KERAS_BACKEND is set; the results on JAX are the same."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
