"""Layers of generated source: recurrent layers, with PyTorch's weights."""

import keras
from keras import initializers, layers, ops


@keras.saving.register_keras_serializable("archspec")
class Recurrent(layers.Layer):
    """An LSTM, a GRU or a simple recurrent network of several layers and directions.

    It returns the outputs, and the states after the last; of an LSTM the cells, too.
    They start from zeros, or from others that follow the sequence in a list.
    """

    def __init__(
        self,
        units,
        cell,
        num_layers=1,
        bidirectional=False,
        use_bias=True,
        dropout=0.0,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.cell = cell
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.use_bias = use_bias
        self.dropout = layers.Dropout(dropout)
        self.kernel_initializer = initializers.get(kernel_initializer)

    def build(self, input_shape):
        input_shape = self.of_sequence(input_shape)
        directions = 1 + self.bidirectional
        rows = {"lstm": 4, "gru": 3}.get(self.cell, 1) * self.units
        self.kernels = []
        for layer in range(self.num_layers):
            width = directions * self.units if layer else input_shape[2]
            shapes = [(rows, width), (rows, self.units), (rows,), (rows,)]
            names = ["ih", "hh", "bias_ih", "bias_hh"][: 4 if self.use_bias else 2]
            for direction in range(directions):
                end = f"{layer}_{direction}"
                self.kernels.append(
                    [
                        self.add_weight(
                            shape, self.kernel_initializer, name=f"{name}_{end}"
                        )
                        for name, shape in zip(names, shapes, strict=False)
                    ]
                )

    def of_sequence(self, shape):
        """The shape of the sequence, of a list of shapes the first."""
        return shape[0] if isinstance(shape[0], (list, tuple)) else shape

    def call(self, inputs, training=False):
        is_list = isinstance(inputs, (list, tuple))
        x, *starts = inputs if is_list else [inputs]
        directions = 1 + self.bidirectional
        ends = []
        for first in range(0, len(self.kernels), directions):
            x = self.dropout(x, training=training) if first else x
            before = [each[:, first] for each in starts]
            outputs, *last = self.along(x, before, *self.kernels[first])
            ends.append(last)
            if self.bidirectional:
                before = [each[:, first + 1] for each in starts]
                kernels = self.kernels[first + 1]
                back, *last = self.along(ops.flip(x, 1), before, *kernels)
                ends.append(last)
                outputs = ops.concatenate([outputs, ops.flip(back, 1)], axis=2)
            x = outputs
        kinds = range(len(ends[0]))
        return (x, *(ops.stack([last[i] for last in ends], axis=1) for i in kinds))

    def along(self, x, before, kernel, recurrent, bias=0.0, recurrent_bias=0.0):
        """The states at all positions, and those after the last."""
        inputs = ops.matmul(x, ops.transpose(kernel)) + bias
        zeros = ops.zeros_like(inputs[:, 0, : self.units])
        state, cell = (*before, zeros, zeros)[:2]
        outputs = []
        for position in range(x.shape[1]):
            hidden = ops.matmul(state, ops.transpose(recurrent)) + recurrent_bias
            state, cell = self.step(inputs[:, position], hidden, state, cell)
            outputs.append(state)
        ends = (state, cell) if self.cell == "lstm" else (state,)
        return (ops.stack(outputs, axis=1), *ends)

    def step(self, inputs, hidden, state, cell):
        """The next state and cell."""
        if self.cell == "rnn_relu":
            return ops.relu(inputs + hidden), cell
        if self.cell == "rnn_tanh":
            return ops.tanh(inputs + hidden), cell
        if self.cell == "gru":
            (a, b, c), (d, e, f) = ops.split(inputs, 3, 1), ops.split(hidden, 3, 1)
            update = ops.sigmoid(b + e)
            new = ops.tanh(c + ops.sigmoid(a + d) * f)
            return (1 - update) * new + update * state, cell
        a, b, c, d = ops.split(inputs + hidden, 4, 1)
        cell = ops.sigmoid(b) * cell + ops.sigmoid(a) * ops.tanh(c)
        return ops.sigmoid(d) * ops.tanh(cell), cell

    def compute_output_shape(self, shape):
        shape = self.of_sequence(shape)
        directions = 1 + self.bidirectional
        state = (shape[0], self.num_layers * directions, self.units)
        ends = [state] * (2 if self.cell == "lstm" else 1)
        return ((*shape[:2], directions * self.units), *ends)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "cell": self.cell,
            "num_layers": self.num_layers,
            "bidirectional": self.bidirectional,
            "use_bias": self.use_bias,
            "dropout": self.dropout.rate,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
        }
