"""PyTorch: the graph as source text a careful engineer would write, and the module that text makes."""
