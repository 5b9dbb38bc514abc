"""The parts of `tools/gpu_suite.py`: agreement with the CPU, speed, memory."""
