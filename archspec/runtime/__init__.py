"""Running networks fast: ONNX Runtime in place of a PyTorch module, placement on devices, and the benchmark."""
