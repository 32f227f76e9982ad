"""The toy tasks (alignment: A real task; scaling: Train it; multi-head: A task for two look-ups).

``recall`` asks for one pair, ``two_lookups`` for two at once, ``dates`` are to be written
in another form, and ``character_model`` continues a text.
"""
