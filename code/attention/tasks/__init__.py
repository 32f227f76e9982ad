"""The toy tasks, small enough to train while a reader waits (alignment, scaling, multi-head).

``recall`` asks for one pair, ``two_lookups`` for two at once, ``dates`` are to be written
in another form, and ``character_model`` continues a text.
"""
