"""The picture of the transformer: its boxes, its table and text, without a browser."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from tests.conftest import load_without_shape_checks

from attention import layers, positions, transformer
from attention.report import section
from attention.widgets import ArchitectureMap
from attention.widgets._base import Link
from attention.widgets.architecture_map import BOXES, PLACEMENTS

SECTIONS = {
    "From tokens to vectors",
    "The residual stream",
    "The layer norm",
    "Before or after",
    "The feed-forward layer",
    "The encoder",
    "The decoder",
    "From vectors to tokens",
    "The whole model",
}
# What the chapter prints.
CODE = {
    "Embedding",
    "sinusoidal_positions",
    "Residual",
    "LayerNorm",
    "FeedForward",
    "MultiHeadAttention",
    "EncoderLayer",
    "Encoder",
    "DecoderLayer",
    "Decoder",
    "Transformer",
}


def names(norm: str) -> list[str]:
    return [box.name for box in ArchitectureMap(norm).boxes]


# -------------------------------------------------------------------- the boxes


@pytest.mark.parametrize("norm", PLACEMENTS)
def test_boxes_are_in_the_order_of_the_data(norm: str) -> None:
    def sublayer(stack: str, number: int, name: str) -> list[str]:
        placed, added = f"{stack}_norm_{number}", [name, f"{stack}_sum_{number}"]
        return [placed, *added] if norm == "pre" else [*added, placed]

    def end(stack: str) -> list[str]:
        return [f"{stack}_final_norm"] if norm == "pre" else []

    assert names(norm) == [
        *("source_tokens", "source_embedding", "source_positions"),
        *("encoder", "encoder_layer", "encoder_stream"),
        *sublayer("encoder", 1, "encoder_self_attention"),
        *sublayer("encoder", 2, "encoder_feed_forward"),
        *end("encoder"),
        "memory",
        *("target_tokens", "target_embedding", "target_positions"),
        *("decoder", "decoder_layer", "decoder_stream"),
        *sublayer("decoder", 1, "decoder_self_attention"),
        *sublayer("decoder", 2, "cross_attention"),
        *sublayer("decoder", 3, "decoder_feed_forward"),
        *end("decoder"),
        *("to_logits", "logits"),
    ]


@pytest.mark.parametrize("norm", PLACEMENTS)
def test_the_norms_are_those_of_the_model(norm: str) -> None:
    """As many, with one layer in each stack, as there are boxes of them."""
    config = transformer.TransformerConfig(5, 5, 4, 1, 4, 1, 1, norm=norm)
    model = transformer.Transformer(config)
    norms = [part for part in model.modules() if isinstance(part, layers.LayerNorm)]
    assert len([name for name in names(norm) if "_norm" in name]) == len(norms)


@pytest.mark.parametrize("box", BOXES, ids=lambda box: f"{box.name}-{box.norm}")
def test_every_box_leads_to_a_section_and_to_code(box) -> None:
    assert box.section in SECTIONS
    assert section(box.section) == f"[{box.section}]({box.section_link})"
    assert re.fullmatch(r"#[a-z-]+", box.section_link)
    assert box.code in CODE
    assert box.code_link == f"#transformer-source-{box.code.lower()}"
    there = vars(transformer) | vars(layers) | vars(positions)
    assert callable(there[box.code])


@pytest.mark.parametrize("box", BOXES, ids=lambda box: f"{box.name}-{box.norm}")
def test_every_box_says_what_it_does_and_what_leaves_it(box) -> None:
    assert re.fullmatch(r"[A-Z][^.]*\.", box.does)  # one sentence
    side = "length" if re.match("target|decoder|cross|to_|logits", box.name) else "source_length"
    last = {
        "target_tokens": "",
        "source_tokens": "",
        "to_logits": ", symbols",
        "logits": ", symbols",
    }
    assert box.shape == f"(batch, {side}{last.get(box.name, ', d_model')})"


def test_labels_tell_the_boxes_apart() -> None:
    for norm in PLACEMENTS:
        labels = [box.label for box in ArchitectureMap(norm).boxes]
        assert len(set(labels)) == len(labels)


def test_every_section_and_every_listing_has_a_box() -> None:
    boxes = ArchitectureMap().boxes
    assert {box.section for box in boxes} == SECTIONS
    assert {box.code for box in boxes} == CODE


def test_shapes_are_those_of_the_model() -> None:
    """What leaves the parts of a small model has the axes that the boxes name."""
    import torch

    sizes = {"batch": 2, "source_length": 3, "length": 5, "d_model": 8, "symbols": 11}
    config = transformer.TransformerConfig(7, sizes["symbols"], sizes["d_model"], 2, 4, 1, 1)
    model = transformer.Transformer(config).eval()
    parts = {
        "source_embedding": model.source_embedding,
        "encoder": model.encoder,
        "memory": model.encoder,
        "encoder_layer": model.encoder.layers[0],
        "encoder_self_attention": model.encoder.layers[0].self_attention,
        "encoder_feed_forward": model.encoder.layers[0].feed_forward,
        "encoder_final_norm": model.encoder.norm,
        "target_embedding": model.target_embedding,
        "decoder": model.decoder,
        "decoder_layer": model.decoder.layers[0],
        "decoder_norm_1": model.decoder.layers[0].around_self_attention.norm,
        "cross_attention": model.decoder.layers[0].cross_attention,
        "decoder_final_norm": model.decoder.norm,
        "to_logits": model.to_logits,
        "logits": model,
    }
    left = {}
    for name, part in parts.items():
        part.register_forward_hook(lambda _, __, out, name=name: left.update({name: out.shape}))
    model(torch.full((2, 3), 3), torch.full((2, 5), 4))
    shapes = {box.name: box.shape for box in BOXES}
    assert set(left) == set(parts)
    for name, shape in left.items():
        assert tuple(sizes[axis] for axis in re.findall(r"\w+", shapes[name])) == shape


# ------------------------------------------------------------ data, table, text


def test_data_hold_every_box_for_both_placements() -> None:
    stored = re.search('data-figure="(.*?)"', ArchitectureMap("post")._repr_html_()).group(1)
    data = json.loads(unescape(stored))
    assert (data["norm"], data["placements"]) == ("post", PLACEMENTS)
    assert len(data["boxes"]) == len(BOXES)
    for norm in PLACEMENTS:
        there = [box["name"] for box in data["boxes"] if box["norm"] in (None, norm)]
        assert there == names(norm)
    attention = next(box for box in data["boxes"] if box["name"] == "cross_attention")
    assert attention["sectionLink"] == "#the-decoder"
    assert attention["codeLink"] == "#transformer-source-multiheadattention"


@pytest.mark.parametrize("norm", PLACEMENTS)
def test_the_table_has_a_row_for_each_box(norm: str) -> None:
    figure = ArchitectureMap(norm)
    caption, header, rows = figure.table()
    assert f"{norm}-norm" in caption
    assert {len(row) for row in rows} == {len(header)} == {5}
    expected = [(box.label, box.does, box.shape, box.section, box.code) for box in figure.boxes]
    assert rows == expected


def test_without_a_script_the_sections_and_the_code_are_links() -> None:
    class Reader(HTMLParser):
        links = ()

        def handle_starttag(self, tag: str, attributes: list) -> None:
            if tag == "a":
                self.links += (dict(attributes)["href"],)

    reader, figure = Reader(), ArchitectureMap()
    reader.feed(figure._repr_html_())
    pairs = [(box.section_link, box.code_link) for box in figure.boxes]
    assert reader.links == tuple(link for pair in pairs for link in pair)


def test_a_link_is_escaped() -> None:
    class Figure(ArchitectureMap):
        def table(self) -> tuple:
            return "", ("a", "b"), [("c", Link("<b>", '#"<'))]

    assert '<td><a href="#&quot;&lt;">&lt;b&gt;</a></td>' in Figure()._repr_html_()


@pytest.mark.parametrize("norm", PLACEMENTS)
def test_text_is_plain_and_narrow(norm: str) -> None:
    figure = ArchitectureMap(norm)
    text = repr(figure)
    assert max(map(len, text.splitlines())) <= 79
    assert "<" not in text
    joined = " ".join(text.split())
    for box in figure.boxes:
        said = f"{box.label}: {box.does} {box.shape}; {box.section}; {box.code}"
        assert said in joined


@pytest.mark.parametrize("norm", ["Pre", "", "none", None, True, ["pre"]])
def test_another_norm_is_refused(norm: object) -> None:
    plain = load_without_shape_checks("widgets/architecture_map").ArchitectureMap
    message = f'norm: expected "pre" or "post", got {norm!r}'
    with pytest.raises(ValueError, match=re.escape(message)):
        plain(norm)
