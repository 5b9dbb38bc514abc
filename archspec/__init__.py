"""archspec: a compiler for neural-network architectures."""
