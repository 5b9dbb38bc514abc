"""Random networks: a generator that covers the language and its ops, the checks that every network must pass, and a
shrinker of what fails.

`generate` draws a spec from a seed, `run` gives the failures of a spec, and `smallest` a small spec that fails alike.
`tests/test_random_networks.py` tries some networks, `tools/random_networks.py` as many as one likes.
"""
