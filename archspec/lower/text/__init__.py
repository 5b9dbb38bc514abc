"""Text of generated Python source: code shared by the targets that write it."""
