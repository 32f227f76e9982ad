"""What the pronoun does when attention may not use some edges."""

from contextlib import ExitStack

import torch
from torch import Tensor

from attention.interventions import knock_out
from attention.transformer import Transformer
from shared.pronoun_batches import Rows, batches, make_batch, right_over_wrong, signs
from shared.pronoun_sentences import Mirrored

# What is cut at once; each edge is (stack, queries, keys).
CUTS = {
    "nothing": (),
    "encoder it>antecedent": (("encoder", "it", "antecedent"),),
    "encoder it>rival": (("encoder", "it", "rival"),),
    "encoder it>other": (("encoder", "it", "other"),),
    "encoder it>adjective": (("encoder", "it", "adjective"),),
    "encoder it>was": (("encoder", "it", "was"),),
    "encoder rest>antecedent": (("encoder", "rest", "antecedent"),),
    "encoder rest>rival": (("encoder", "rest", "rival"),),
    "encoder before>rest": (("encoder", "before", "rest"),),
    "encoder rest>adjective": (("encoder", "rest but adjective", "adjective"),),
    "cross step>it": (("cross", "step", "it"),),
    "cross step>adjective": (("cross", "step", "adjective"),),
    "cross step>antecedent": (("cross", "step", "antecedent"),),
    "cross step>rival": (("cross", "step", "rival"),),
    "cross step>other": (("cross", "step", "other"),),
    "cross steps>rest": (("cross", "steps", "rest"),),
    "decoder step>noun": (("decoder", "step", "noun"),),
    "decoder step>agreeing": (("decoder", "step", "agreeing"),),
    "decoder step>rival's noun": (("decoder", "step", "rival's noun"),),
    "decoder step>rival's agreeing": (("decoder", "step", "rival's agreeing"),),
    "decoder step>other": (("decoder", "step", "other"),),
    "decoder step>before": (("decoder", "step", "before"),),
    "all roads to antecedent": (
        ("encoder", "rest", "antecedent"),
        ("cross", "steps", "antecedent"),
        ("decoder", "steps", "agreeing"),
    ),
    "all roads to rival": (
        ("encoder", "rest", "rival"),
        ("cross", "steps", "rival"),
        ("decoder", "steps", "rival's agreeing"),
    ),
}
BY_GENDER = ("nothing", "encoder it>antecedent", "encoder it>rival", "encoder it>adjective")


def measure_cuts(
    model: Transformer, data: dict[str, list[Mirrored]], chosen: int, rows: Rows
) -> None:
    """Cut edges, and see what the pronoun does."""
    layer, head = divmod(chosen, model.config.heads)
    cuts = [(name, edges, {}) for name, edges in CUTS.items()]
    one_head = {"layers": [layer], "heads": [head]}
    for edge in ("it>antecedent", "it>rival", "it>other"):
        cuts.append((f"chosen head {edge}", CUTS[f"encoder {edge}"], one_head))
    remains: dict[str, list[Tensor]] = {name: [] for name, _, _ in cuts}
    signs_of: list[Tensor] = []
    for split, pairs in data.items():
        sides = [side for both in pairs for side in (both.sentence, both.mirror)]
        groups = [make_batch(group) for group in batches(sides)]
        signs_of += [signs(batch.sentences) for batch in groups]
        found = {}
        for name, edges, only in cuts:
            parts = []
            for batch in groups:
                with ExitStack() as stack:
                    for edge in edges:
                        marked = batch.edges(*edge)
                        stack.enter_context(knock_out(model, edge[0], marked, **only))
                    parts.append(right_over_wrong(model, batch))
            found[name] = torch.cat(parts)
            rows.add("cut", name, split, found[name] > 0)
            remains[name].append(found[name])
    elle = torch.cat(signs_of) > 0
    before = torch.cat(remains["nothing"])
    for name, parts in remains.items():
        after = torch.cat(parts)
        if name != "nothing":
            rows.add("cut logits", name, "both", before - after)
        if name in BY_GENDER:
            rows.add("cut", name, "elle", after[elle] > 0)
            rows.add("cut", name, "il", after[~elle] > 0)
