"""Layers of generated source: attention with masks and relative biases."""

import keras
from keras import initializers, layers, ops


@keras.saving.register_keras_serializable("archspec")
class Attention(layers.Layer):
    """Multi-head attention of one to three values, the last of them a mask if `masked`.

    Where the mask is 0, a query does not attend to a key. For positions in a window, a
    learned number for each distance between two of them is added.
    """

    def __init__(
        self,
        num_heads,
        use_bias=True,
        dropout=0.0,
        causal=False,
        masked=False,
        window=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.use_bias = use_bias
        self.dropout = layers.Dropout(dropout)
        self.causal = causal
        self.masked = masked
        self.window = None if window is None else tuple(window)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)

    def build(self, input_shape):
        single = isinstance(input_shape[-1], int)
        query, key, value = self.values([input_shape] if single else input_shape)
        width = query[-1]
        widths = (width, key[-1], value[-1], width)
        names = ("query", "key", "value", "output")
        self.kernels = [
            self.add_weight(
                (width, size), self.kernel_initializer, name=f"{name}_kernel"
            )
            for name, size in zip(names, widths, strict=True)
        ]
        self.biases = [
            self.add_weight((width,), self.bias_initializer, name=f"{name}_bias")
            for name in names
            if self.use_bias
        ] or [0.0] * 4
        if self.window is None:
            return
        index, rows = ops.zeros((1, 1), "int64"), 1
        for size in self.window:
            steps = ops.arange(size, dtype="int64")
            distances = steps[:, None, None] - steps + size - 1
            index = index[:, None, :, None] * (2 * size - 1) + distances
            index = ops.reshape(index, (index.shape[0] * size, -1))
            rows *= 2 * size - 1
        self.table = self.add_weight(
            (rows, self.num_heads),
            initializers.TruncatedNormal(stddev=0.02),
            name="table",
        )
        self.index = self.add_weight(
            (index.shape[0] ** 2,),
            lambda shape, dtype=None: ops.reshape(index, shape),
            dtype="int64",
            trainable=False,
            name="index",
        )

    def values(self, inputs):
        """Query, key and value among the inputs."""
        values = inputs[:-1] if self.masked else inputs
        return values[0], values[min(1, len(values) - 1)], values[-1]

    def call(self, inputs, training=False):
        inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        query, key, value = (
            self.heads(ops.matmul(x, ops.transpose(kernel)) + bias)
            for x, kernel, bias in zip(
                self.values(inputs), self.kernels, self.biases, strict=False
            )
        )
        scale = query.shape[-1] ** -0.5
        scores = ops.matmul(query * scale, ops.swapaxes(key, -1, -2))
        if self.window is not None:
            numbers = ops.transpose(ops.take(self.table, self.index, axis=0))
            scores = scores + ops.reshape(numbers, (-1, *scores.shape[-2:]))
        seen = None
        if self.causal:
            queries, keys = scores.shape[-2:]
            seen = ops.arange(queries)[:, None] >= ops.arange(keys)
        if self.masked:
            mask = ops.not_equal(inputs[-1], 0)
            if len(mask.shape) < len(scores.shape):
                mask = ops.expand_dims(mask, -3)
            seen = mask if seen is None else ops.logical_and(mask, seen)
        if seen is None:
            weights = ops.softmax(scores)
        else:
            weights = ops.softmax(ops.where(seen, scores, -3e38))
            weights = ops.where(seen, weights, 0.0)
        weights = self.dropout(weights, training=training)
        found = ops.swapaxes(ops.matmul(weights, value), -3, -2)
        found = ops.reshape(found, (-1, *found.shape[1:-2], self.kernels[3].shape[0]))
        return ops.matmul(found, ops.transpose(self.kernels[3])) + self.biases[3]

    def heads(self, x):
        """(N, ..., positions, features) as (N, ..., heads, positions, numbers)."""
        size = x.shape[-1] // self.num_heads
        x = ops.reshape(x, (-1, *x.shape[1:-1], self.num_heads, size))
        return ops.swapaxes(x, -3, -2)

    def compute_output_shape(self, shape):
        return shape if shape[-1] is None or isinstance(shape[-1], int) else shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "use_bias": self.use_bias,
            "dropout": self.dropout.rate,
            "causal": self.causal,
            "masked": self.masked,
            "window": self.window,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
        }
