"""Networks whose inputs may have other sizes: formulas for sizes, and the proof of which sizes are free."""
