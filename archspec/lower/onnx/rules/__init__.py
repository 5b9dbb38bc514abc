"""The rules: how each op is written in ONNX, one file per family."""
