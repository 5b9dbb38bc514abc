"""Modules of generated source: recurrent layers whose states have the batch first."""

import torch
from torch import Tensor, nn


class Lstm(nn.LSTM):
    """An LSTM that returns the outputs, and the states and the cells after the last.

    States and cells start from zeros if they are not given.
    """

    def forward(  # type: ignore[override]
        self,
        x: Tensor,
        state: Tensor | None = None,
        cell: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        self.check_input(x, None)
        return run_lstm(
            x,
            state,
            cell,
            self._flat_weights,  # type: ignore[arg-type]
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
        )


class Gru(nn.GRU):
    """Gated recurrent units that return the outputs, and the states after the last.

    States start from zeros if they are not given.
    """

    def forward(  # type: ignore[override]
        self, x: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        self.check_input(x, None)
        return run_gru(
            x,
            state,
            self._flat_weights,  # type: ignore[arg-type]
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
        )


class Rnn(nn.RNN):
    """A recurrent network that returns the outputs, and the states after the last.

    States start from zeros if they are not given.
    """

    def forward(  # type: ignore[override]
        self, x: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        self.check_input(x, None)
        return run_rnn(
            x,
            state,
            self._flat_weights,  # type: ignore[arg-type]
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
            self.nonlinearity,
        )


def run_lstm(
    x: Tensor,
    state: Tensor | None,
    cell: Tensor | None,
    weights: list[Tensor],
    bias: bool,
    layers: int,
    dropout: float,
    training: bool,
    both: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """An LSTM with these weights; both: whether it has two directions."""
    start = [
        first_states(x, state, weights, layers, both),
        first_states(x, cell, weights, layers, both),
    ]
    y, state, cell = torch.lstm(
        x, start, weights, bias, layers, dropout, training, both, True
    )
    return y, state.transpose(0, 1), cell.transpose(0, 1)


def run_gru(
    x: Tensor,
    state: Tensor | None,
    weights: list[Tensor],
    bias: bool,
    layers: int,
    dropout: float,
    training: bool,
    both: bool,
) -> tuple[Tensor, Tensor]:
    """Gated recurrent units with these weights; both: in two directions."""
    start = first_states(x, state, weights, layers, both)
    y, state = torch.gru(x, start, weights, bias, layers, dropout, training, both, True)
    return y, state.transpose(0, 1)


def run_rnn(
    x: Tensor,
    state: Tensor | None,
    weights: list[Tensor],
    bias: bool,
    layers: int,
    dropout: float,
    training: bool,
    both: bool,
    function: str,
) -> tuple[Tensor, Tensor]:
    """A recurrent network with these weights; both: in two directions."""
    start = first_states(x, state, weights, layers, both)
    if function == "relu":
        y, state = torch.rnn_relu(
            x, start, weights, bias, layers, dropout, training, both, True
        )
    else:
        y, state = torch.rnn_tanh(
            x, start, weights, bias, layers, dropout, training, both, True
        )
    return y, state.transpose(0, 1)


def first_states(
    x: Tensor,
    state: Tensor | None,
    weights: list[Tensor],
    layers: int,
    both: bool,
) -> Tensor:
    """The states before the first position, with the layers first."""
    count, size = layers * (1 + int(both)), weights[1].shape[1]
    if state is None:
        return x.new_zeros(count, x.shape[0], size)
    if state.shape[1] != count or state.shape[2] != size:
        raise ValueError("the first states have another shape than the last")
    return state.transpose(0, 1).contiguous()
