"""The canonical text of a graph holds all of it, one line per node."""

from __future__ import annotations

import archspec

SPEC = """
archspec: 1
name: words
inputs: {left: [3, 8, 8], right: [3, 8, 8]}
blocks:
  twin:
    args: [width]
    layers:
      - conv: {name: conv, channels: width, kernel: [3, 1], padding: [[1, 1], [0, 0]], bias: false}
      - relu
layers:
  - twin: {name: one, from: left, width: 4}
  - twin: {name: two, from: right, width: 4, share: one}
  - concat: [one, two]
  - side: {name: extra, training_only: true, layers: [global_avg_pool, flatten]}
  - residual: {layers: [conv: {channels: 8, kernel: 1}]}
outputs: {main: add, aux: extra}
"""

TEXT = """\
words(left: float32 (N, 3, 8, 8), right: float32 (N, 3, 8, 8)) {
  block twin one {
    one.conv = conv(left) {channels: 4, kernel: [3, 1], padding: [[1, 1], [0, 0]], bias: false} -> (N, 4, 8, 8)
    one.relu = relu(one.conv) -> (N, 4, 8, 8)
  }
  block twin two {
    two.conv = conv(right) {channels: 4, kernel: [3, 1], padding: [[1, 1], [0, 0]], bias: false} \
with one.conv -> (N, 4, 8, 8)
    two.relu = relu(two.conv) -> (N, 4, 8, 8)
  }
  concat = concat(one.relu, two.relu) -> (N, 8, 8, 8)
  side extra (training) {
    extra.global_avg_pool = global_avg_pool(concat) -> (N, 8, 1, 1)
    extra.flatten = flatten(extra.global_avg_pool) -> (N, 8)
  }
  residual {
    conv = conv(concat) {channels: 8, kernel: 1} -> (N, 8, 8, 8)
    add = add(conv, concat) -> (N, 8, 8, 8)
  }
} -> main = add, aux = extra.flatten (training)
"""


def test_the_text_holds_everything() -> None:
    net = archspec.parse(SPEC)
    assert net.text == TEXT
    assert net.params == 3 * 4 * 3 + 8 * 8 + 8  # the twin's weights once
