"""Layers of generated source: padding that repeats the input."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("archspec")
class EdgePadding(layers.Layer):
    """Rows of the input before and after each spatial axis.

    They are the outermost row for mode "replicate", those beside it in reverse order
    for "reflect", and those of the other side for "circular".
    """

    def __init__(self, padding, mode, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding
        self.mode = mode

    def call(self, x):
        for axis, (before, after) in enumerate(self.padding, start=2):
            last = x.shape[axis] - 1
            rows = ops.arange(-before, last + after + 1)
            if self.mode == "circular":
                rows = rows % (last + 1)
            elif self.mode == "reflect":
                rows = last - ops.abs(last - ops.abs(rows))
            x = ops.take(x, ops.clip(rows, 0, last), axis=axis)
        return x

    def get_config(self):
        own = {"padding": self.padding, "mode": self.mode}
        return {**super().get_config(), **own}
