"""Modules of generated source: recurrent layers whose states have the batch first."""

import torch
from torch import Tensor, nn


class Lstm(nn.LSTM):
    """An LSTM that returns the outputs, and the states and the cells after the last."""

    def forward(  # type: ignore[override]
        self, x: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        self.check_input(x, None)
        layers, both = self.num_layers, self.bidirectional
        zeros = x.new_zeros(layers * (1 + int(both)), x.shape[0], self.hidden_size)
        y, state, cell = torch.lstm(
            x,
            [zeros, zeros],
            self._flat_weights,  # type: ignore[arg-type]
            self.bias,
            layers,
            self.dropout,
            self.training,
            both,
            self.batch_first,
        )
        return y, state.transpose(0, 1), cell.transpose(0, 1)


class Gru(nn.GRU):
    """Gated recurrent units that return the outputs, and the states after the last."""

    def forward(  # type: ignore[override]
        self, x: Tensor
    ) -> tuple[Tensor, Tensor]:
        self.check_input(x, None)
        layers, both = self.num_layers, self.bidirectional
        zeros = x.new_zeros(layers * (1 + int(both)), x.shape[0], self.hidden_size)
        y, state = torch.gru(
            x,
            zeros,
            self._flat_weights,  # type: ignore[arg-type]
            self.bias,
            layers,
            self.dropout,
            self.training,
            both,
            self.batch_first,
        )
        return y, state.transpose(0, 1)


class Rnn(nn.RNN):
    """A recurrent network that returns the outputs, and the states after the last."""

    def forward(  # type: ignore[override]
        self, x: Tensor
    ) -> tuple[Tensor, Tensor]:
        self.check_input(x, None)
        layers, both = self.num_layers, self.bidirectional
        zeros = x.new_zeros(layers * (1 + int(both)), x.shape[0], self.hidden_size)
        weights, training = self._flat_weights, self.training
        if self.nonlinearity == "relu":
            y, state = torch.rnn_relu(
                x,
                zeros,
                weights,  # type: ignore[arg-type]
                self.bias,
                layers,
                self.dropout,
                training,
                both,
                self.batch_first,
            )
        else:
            y, state = torch.rnn_tanh(
                x,
                zeros,
                weights,  # type: ignore[arg-type]
                self.bias,
                layers,
                self.dropout,
                training,
                both,
                self.batch_first,
            )
        return y, state.transpose(0, 1)
