"""The PyTorch target: source text of a graph, and the module that the text defines."""
