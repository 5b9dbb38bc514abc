"""Initializers of generated source."""

import keras
from keras import initializers, ops


@keras.saving.register_keras_serializable("archspec")
class Bilinear(initializers.Initializer):
    """Lets a transposed convolution interpolate each channel for itself."""

    def __call__(self, shape, dtype=None):
        *sizes, rows, columns = shape
        kernel = ops.tile(ops.eye(rows, dtype=dtype), (1, columns // rows))
        for size in reversed(sizes):
            distance = ops.abs(ops.arange(size, dtype=dtype) - (size - 1) / 2)
            kernel = ops.tensordot(1 - distance / ((size + 1) // 2), kernel, axes=0)
        return kernel


@keras.saving.register_keras_serializable("archspec")
class Listed(initializers.Initializer):
    """Numbers as they are; an axis of 1 stands for all it repeats over."""

    def __init__(self, values):
        self.values = values

    def __call__(self, shape, dtype=None):
        values = ops.broadcast_to(ops.convert_to_tensor(self.values, dtype), shape)
        return ops.copy(values)  # a broadcast tensor cannot be assigned to

    def get_config(self):
        return {"values": self.values}
