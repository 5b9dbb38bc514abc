"""Taggers of words, of PyTorch's own layers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn

from tests.zoo.handwritten.common import Maker


class Tagger(nn.Module):
    def __init__(self, *, bidirectional: bool) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(130_000, 50)
        self.lstm = nn.LSTM(50, 300, batch_first=True, bidirectional=bidirectional)
        self.hidden2tag = nn.Linear(600 if bidirectional else 300, 45)

    def forward(self, words: Tensor) -> Tensor:
        return self.hidden2tag(self.lstm(self.word_embeddings(words))[0])


MAKERS: Mapping[str, Maker] = {
    "lstm_tagger": partial(Tagger, bidirectional=False),
    "bilstm_tagger": partial(Tagger, bidirectional=True),
}
