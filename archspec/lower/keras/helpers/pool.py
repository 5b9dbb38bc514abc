"""Layers of generated source: pooling with padding or indices, and unpooling."""

import math

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("archspec")
class PaddedAveragePooling(layers.Layer):
    """Average pooling with padding of its own on each side of each axis.

    Padding is zeros, which count in the mean if `count_padding`. The rows of `extra`
    complete the last window of each axis and never count.
    """

    def __init__(
        self, pool_size, strides, padding, extra, count_padding=True, **kwargs
    ):
        super().__init__(**kwargs)
        self.pool_size = pool_size
        self.strides = strides
        self.padding = padding
        self.extra = extra
        self.count_padding = count_padding

    def call(self, x):
        around = ((0, 0), (0, 0), *self.padding)
        counted = float(self.count_padding)
        counts = ops.pad(ops.ones_like(x[:1, :1]), around, constant_values=counted)
        return self.mean(ops.pad(x, around)) / self.mean(counts)

    def mean(self, x):
        x = ops.pad(x, ((0, 0), (0, 0), *((0, rows) for rows in self.extra)))
        return ops.average_pool(
            x, self.pool_size, self.strides, "valid", "channels_first"
        )


@keras.saving.register_keras_serializable("archspec")
class MaxPoolingWithIndices(layers.Layer):
    """Max pooling that tells as well where in its channel each value stood.

    Sizes, strides and padding, before and after, are given for each axis.
    """

    def __init__(self, pool_size, strides=None, padding=None, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = pool_size
        self.strides = strides or pool_size
        self.padding = padding or [(0, 0) for _ in pool_size]

    def call(self, x):
        places = ops.zeros_like(x, dtype="int64")
        for axis, size in enumerate(x.shape[2:], start=2):
            steps = ops.arange(size, dtype="int64")
            later = (1 for _ in x.shape[axis + 1 :])
            places = places * size + ops.reshape(steps, (size, *later))
        around = ((0, 0), (0, 0), *self.padding)
        x = ops.pad(x, around, constant_values=float("-inf"))
        places = ops.pad(places, around)
        for axis in reversed(range(2, x.ndim)):
            x, places = self.along(axis, x, places)
        return x, places

    def along(self, axis, x, places):
        size, stride = self.pool_size[axis - 2], self.strides[axis - 2]
        reach = x.shape[axis] - size + 1
        before = (slice(None),) * axis
        largest, found = (y[(*before, slice(0, reach, stride))] for y in (x, places))
        for tap in range(1, size):
            window = (*before, slice(tap, tap + reach, stride))
            larger = x[window] > largest
            largest = ops.where(larger, x[window], largest)
            found = ops.where(larger, places[window], found)
        return largest, found


@keras.saving.register_keras_serializable("archspec")
class MaxUnpooling(layers.Layer):
    """Values put where a max pooling found them, with zeros everywhere else."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs):
        x, indices = inputs
        channels, count = x.shape[1], math.prod(x.shape[2:])
        places = ops.reshape(indices, (-1, count))
        rows = ops.cumsum(ops.ones_like(places), axis=0) - 1
        at = ops.reshape(ops.stack([rows, places], axis=2), (-1, 2))
        zeros = ops.zeros_like(ops.reshape(x, (-1, count))[:, :1])
        zeros = ops.repeat(zeros, math.prod(self.size), axis=1)
        put = ops.scatter_update(zeros, at, ops.reshape(x, (-1,)))
        return ops.reshape(put, (-1, channels, *self.size))

    def compute_output_shape(self, shapes):
        return (*shapes[0][:2], *self.size)
