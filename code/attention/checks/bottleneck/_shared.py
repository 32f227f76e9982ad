"""The end token, which several exercises on `bottleneck` read (bottleneck: Exercises)."""

END = 2  # PADDING, START and END are 0, 1 and 2, as in `attention.corpus`
