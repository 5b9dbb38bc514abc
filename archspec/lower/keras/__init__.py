"""Keras 3: the graph as the source text of a functional model, and the model that text makes."""
