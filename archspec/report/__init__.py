"""Facts made readable: rows, tables and JSON."""
