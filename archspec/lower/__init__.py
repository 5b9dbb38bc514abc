"""The way out: a folder a target, each with a table of rules from op to what the target calls it."""
