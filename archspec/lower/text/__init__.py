"""Python as text: what targets share that write source code."""
