"""A local server that speaks the providers' real protocols, for the demo and the tests.

It imports nothing of the pipeline but ``market`` and ``errors``: what it proves about the
pipeline it must not have learnt from it.
"""
