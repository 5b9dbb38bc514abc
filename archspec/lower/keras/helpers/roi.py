"""Layers of generated source that pool regions of interest."""

import math

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("archspec")
class RoIAlign(layers.Layer):
    """Bilinear samples at even distances in each box, averaged over its bins.

    Boxes are (N, boxes, 4), as x1, y1, x2, y2, the output (N, boxes, channels, *size).
    Interpolation is linear along each axis: a matrix for the rows of each box, and one
    for its columns, take the features to the bins.
    """

    def __init__(self, size, scale=1.0, samples=2, aligned=False, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.scale = scale
        self.samples = samples
        self.aligned = aligned

    def call(self, inputs):
        x, boxes = inputs
        boxes = boxes * self.scale - 0.5 * self.aligned
        rows = self.matrices(boxes[..., 1::2], self.size[0], x.shape[2])
        columns = self.matrices(boxes[..., ::2], self.size[1], x.shape[3])
        x = ops.einsum("nbhi,ncij->nbchj", rows, x)
        return ops.einsum("nbchj,nbwj->nbchw", x, columns)

    def matrices(self, ends, bins, length):
        start, extent = ends[..., :1], ends[..., 1:] - ends[..., :1]
        extent = extent if self.aligned else ops.maximum(extent, 1)
        count = bins * self.samples
        places = start + (ops.arange(count, dtype=ends.dtype) + 0.5) * (extent / count)
        inside = ops.logical_and(places >= -1, places <= length)
        places = ops.expand_dims(ops.clip(places, 0, length - 1), -1)
        taps = ops.relu(1 - ops.abs(places - ops.arange(length, dtype=ends.dtype)))
        taps = taps * ops.cast(ops.expand_dims(inside, -1), taps.dtype)
        shape = (-1, ends.shape[1], bins, self.samples, length)
        return ops.mean(ops.reshape(taps, shape), axis=3)


@keras.saving.register_keras_serializable("archspec")
class RoIPool(layers.Layer):
    """The largest value in each bin of each box, whose corners are rounded.

    Boxes are (N, boxes, 4), as x1, y1, x2, y2, the output (N, boxes, channels, *size).
    A bin is as large as four windows of 2^i by 2^j positions, one in each of its
    corners: the largest values of all such windows are worked out first.
    """

    def __init__(self, size, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.scale = scale

    def call(self, inputs):
        x, boxes = inputs
        height, width = x.shape[2:]
        corners = boxes * self.scale
        half = 0.49999997  # rounds halves away from 0; 0.5 would round itself up, too
        corners = ops.sign(corners) * ops.floor(ops.abs(corners) + half)
        tops, i, tall = self.bins(corners[..., 1::2], self.size[0], height)
        lefts, j, wide = self.bins(corners[..., ::2], self.size[1], width)
        level = ops.expand_dims(i, 3) * width.bit_length() + ops.expand_dims(j, 2)
        windows = self.windows(x)
        flat = (-1, math.prod(level.shape[1:]), 1)
        read = []
        for top in tops:
            for left in lefts:
                row = level * height + ops.expand_dims(top, 3)
                places = ops.reshape(row * width + ops.expand_dims(left, 2), flat)
                read.append(ops.take_along_axis(windows, places, axis=1))
        largest = ops.max(ops.stack(read), axis=0)
        largest = ops.reshape(largest, (-1, *level.shape[1:], x.shape[1]))
        filled = ops.logical_and(ops.expand_dims(tall, 3), ops.expand_dims(wide, 2))
        largest = ops.transpose(largest, (0, 1, 4, 2, 3))
        return ops.where(ops.expand_dims(filled, 2), largest, 0)

    def bins(self, ends, count, length):
        ends = ops.cast(ends, "int32")  # bins may end on a row: nothing is rounded here
        first, rows = ends[..., :1], ops.maximum(ends[..., 1:] - ends[..., :1] + 1, 1)
        steps = ops.arange(count, dtype="int32")
        start = ops.clip(first + steps * rows // count, 0, length)
        stop = first + ((steps + 1) * rows + count - 1) // count
        stop = ops.clip(stop, 0, length)
        extent = ops.maximum(stop - start, 0)
        powers = ops.convert_to_tensor([2**i for i in range(length.bit_length())])
        reached = ops.expand_dims(extent, 3) >= powers[1:]
        level = ops.sum(ops.cast(reached, "int32"), axis=3)
        near = ops.minimum(start, length - 1)
        far = near + ops.maximum(extent - ops.take(powers, level), 0)
        return (near, far), level, extent > 0

    def windows(self, x):
        found = []
        for i in range(x.shape[2].bit_length()):
            y = x
            for j in range(x.shape[3].bit_length()):
                found.append(y)
                y = ops.maximum(y, ops.roll(y, -(2**j), axis=3))
            x = ops.maximum(x, ops.roll(x, -(2**i), axis=2))
        table = ops.transpose(ops.stack(found, axis=1), (0, 1, 3, 4, 2))
        return ops.reshape(table, (-1, math.prod(table.shape[1:4]), x.shape[1]))
