"""Every Python that finds this file computes on two threads, whatever it is told later.

`tools/portable.py` puts this folder on PYTHONPATH for one of its settings. The notebooks
and the experiments ask torch for one thread; here they get two, which adds in another order.
"""

import torch

torch.set_num_threads(2)
torch.set_num_threads = lambda number: None
