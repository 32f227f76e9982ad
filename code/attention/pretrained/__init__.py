"""Models that others have trained: their files, tokens and weights (the package's own).

Nothing here reaches for the network. ``make models`` fetches the files, each with its
hash; ``files`` finds and checks them. ``safetensors``, ``gguf`` and ``marian`` read
weights into NumPy arrays, ``sentence_pieces`` reads a vocabulary. ``wordpiece``,
``byte_pairs`` and ``unigram`` cut a text into tokens, each in its model's way, and put it
together again; they need the standard library and NumPy alone. ``bert``, ``llama`` and
``translator`` put the weights into the blocks of the book.
"""
