"""Draw pictures of real models that show too much, and test each.
"""
from pathlib import Path
import common
from real_models import minilm
from shared import head_pictures
from shared.first_token import Rows
from shared.plain_texts import TEXTS
OUTPUT = Path(__file__).with_suffix(".csv")
def measure_minilm(some=None):
    model, tokenizer = minilm()
    def pieces_of(text):
        return [tokenizer.pieces[t] for t in tokenizer.encode_sentence(text)]
    look = model, pieces_of, tokenizer.encode_sentence
    rows = Rows("minilm")
    head_pictures.famous(rows, *look)
    for kind, query, frames in head_pictures.QUESTIONS:
        head_pictures.ask(rows, *look, kind, query, frames, some)
    head_pictures.token_before(rows, *look, TEXTS[:some], some)
    return rows
if __name__ == "__main__":
    import time, csv, sys
    t=time.process_time()
    with common.threads(1):
        rows=measure_minilm()
    print(time.process_time()-t, len(rows))
    with open("/tmp/k/pic_minilm.csv","w",newline="") as f:
        w=csv.DictWriter(f,list(rows[0])); w.writeheader(); w.writerows(rows)
