"""Running fast: ONNX Runtime in a module's place, device placement, timing and the benchmark."""
