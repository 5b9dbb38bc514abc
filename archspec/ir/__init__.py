"""The typed graph every analysis reads and every target is lowered from."""
