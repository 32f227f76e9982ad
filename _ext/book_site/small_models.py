"""Give a page whose figure runs MiniLM the model's weights, made small, where they are here.

`make models` fetches the model; the book is whole without it. Then the figure shows what the
notebook computed, and the build says what it left out, without a warning.
"""

import json
import shutil
from hashlib import sha256
from pathlib import Path

from bs4 import BeautifulSoup
from sphinx.util import logging

from attention.pretrained import files, small_minilm

NAME = "minilm-8-bits.safetensors"
LICENCE = Path(__file__).with_name("apache-2.0.txt")  # who passes it on has to add this

logger = logging.getLogger(__name__)


def give_weights(page: BeautifulSoup, folder: Path) -> None:
    """Write the small weights into a folder beside the scripts, and tell the page where.

    Raises
    ------
    ValueError
        If they are not those of which the notebook says how exact they are.
    """
    figure = page.select_one("bert-heads[data-figure]")
    if figure is None:
        return
    if not files.is_here(small_minilm.MODEL):
        logger.info("Left out: MiniLM for sentences of the reader's own. `make models` fetches it.")
        return
    file = json.loads(figure["data-figure"])["file"]
    folder.mkdir(exist_ok=True)
    small_minilm.write_small_minilm(folder / NAME)
    if sha256((folder / NAME).read_bytes()).hexdigest() != file["sha256"]:
        raise ValueError(f"{NAME}: the notebook was run with other weights")
    shutil.copyfile(LICENCE, folder / f"{NAME}.licence.txt")
    page.html["data-small-weights"] = f"../_static/live/weights/{NAME}?v={file['sha256'][:8]}"
