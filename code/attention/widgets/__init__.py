"""Explorable figures: a reader hovers, taps or drags, and numbers follow (all chapters).

Each is a small object whose data were computed by the notebook. A notebook shows
it as a custom element (``<attention-explorer>`` and the like) with a plain table
inside. The element comes alive where its script runs: on the book's site, and in
JupyterLab once ``enable()`` has been called. Anywhere else the table stays, and a
terminal prints text.
"""

from attention.widgets._base import Explorable, enable
from attention.widgets.architecture_map import ArchitectureMap
from attention.widgets.attention_explorer import AttentionExplorer
from attention.widgets.attention_lab import AttentionLab
from attention.widgets.bert_heads import BertHeads
from attention.widgets.cut_edges import Cut, CutEdges
from attention.widgets.gradient_lab import GradientLab
from attention.widgets.head_splitter import HeadSplitter
from attention.widgets.live_translator import LiveTranslator
from attention.widgets.mask_lab import MaskLab
from attention.widgets.position_lab import PositionLab
from attention.widgets.scaling_lab import ScalingLab
from attention.widgets.training_lab import TrainingLab
from attention.widgets.watching import watch

__all__ = [
    "ArchitectureMap",
    "AttentionExplorer",
    "AttentionLab",
    "BertHeads",
    "Cut",
    "CutEdges",
    "Explorable",
    "GradientLab",
    "HeadSplitter",
    "LiveTranslator",
    "MaskLab",
    "PositionLab",
    "ScalingLab",
    "TrainingLab",
    "enable",
    "watch",
]
