"""The Keras 3 target: the source text of a functional model, and the model built from that source."""
