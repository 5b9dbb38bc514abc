"""Analyses fold the ops' facts into facts of a graph; transforms make a graph of a graph."""
