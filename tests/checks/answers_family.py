"""Answers to the exercises of the chapter `family`, right and wrong."""

import math

import numpy as np
import torch
from answers import right, wrong
from torch.nn import functional as F

# ----------------------------------------------------------------- cut_word


@right("cut_word")
def cut_by_calling_itself(word, vocabulary, mark=""):
    if word == "":
        return []
    for length in reversed(range(1, len(word) + 1)):
        if mark + word[:length] in vocabulary:
            rest = cut_by_calling_itself(word[length:], vocabulary, "##")
            unknown = rest == ["[UNK]"]
            return rest if unknown else [mark + word[:length], *rest]
    return ["[UNK]"]


@right("cut_word")
def cut_with_the_longest_of_those_that_fit(word, vocabulary):
    left, pieces = word, []
    while left:
        fitting = [piece for piece in vocabulary if left.startswith(piece) and piece != "##"]
        if not fitting:
            return np.array(["[UNK]"])
        pieces.append(max(fitting, key=len))
        left = left.removeprefix(pieces[-1])
        left = left and "##" + left
    return tuple(pieces)


@right("cut_word")
def cut_with_two_sets(word, vocabulary):
    begin = {piece for piece in vocabulary if not piece.startswith("##")} - {"[UNK]"}
    go_on = {piece[2:] for piece in vocabulary if piece.startswith("##")}
    pieces, known = [], begin
    while word:
        end = next((end for end in range(len(word), 0, -1) if word[:end] in known), 0)
        if not end:
            return ["[UNK]"]
        pieces.append(("##" if pieces else "") + word[:end])
        word, known = word[end:], go_on
    return pieces


def one_after_the_other(first=lambda piece: piece, later=lambda piece: "##" + piece, ends=None):
    """Cut a word; ``first`` and ``later`` write pieces as they are looked up and returned."""

    def cut(word, vocabulary):
        pieces = []
        while word:
            write = later if pieces else first
            for end in ends(len(word)) if ends else range(len(word), 0, -1):
                if write(word[:end]) in vocabulary:
                    pieces.append(write(word[:end]))
                    word = word[end:]
                    break
            else:
                return ["[UNK]"]
        return pieces

    return cut


def with_the_rest(finish):
    """Cut a word as far as it goes; ``finish(pieces, rest)`` says what to return then."""

    def cut(word, vocabulary):
        pieces, rest = [], word
        while rest:
            end = len(rest)
            mark = "##" * bool(pieces)
            while end and mark + rest[:end] not in vocabulary:
                end -= 1
            if end == 0:
                return finish(pieces, rest)
            pieces.append(mark + rest[:end])
            rest = rest[end:]
        return pieces

    return cut


wrong("cut_word", "shortest-first")(
    one_after_the_other(ends=lambda length: [end + 1 for end in range(length)])
)
wrong("cut_word", "marks-ignored")(one_after_the_other(later=lambda piece: piece))
wrong("cut_word", "rest-unknown")(with_the_rest(lambda pieces, rest: [*pieces, "[UNK]"]))
wrong("cut_word", "broken-off")(with_the_rest(lambda pieces, rest: pieces))
wrong("cut_word", "nothing-for-unknown")(with_the_rest(lambda pieces, rest: []))
wrong("cut_word", "letters")(one_after_the_other(ends=lambda length: (1,)))
wrong("cut_word", "one-letter-missed")(
    one_after_the_other(ends=lambda length: list(range(2, length + 1))[::-1])
)
wrong("cut_word", "always-unknown")(
    one_after_the_other(ends=lambda length: list(range(1, length))[::-1])
)


@wrong("cut_word", "last-letter-missed")
def _(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        mark, end = "##"[: 2 * start], len(word) - 1
        while end > start and mark + word[start:end] not in vocabulary:
            end -= 1
        if end <= start:
            break
        pieces, start = [*pieces, mark + word[start:end]], end
    return pieces


@wrong("cut_word", "word-as-it-is")
def _(word, vocabulary):
    pieces = cut_by_calling_itself(word, vocabulary)
    return [word] if "[UNK]" in pieces else pieces


@wrong("cut_word", "marks-ignored")
def marked_when_returned(word, vocabulary):
    plain = one_after_the_other(later=lambda piece: piece)(word, vocabulary)
    return [plain[0], *("##" + piece for piece in plain[1:])]


@wrong("cut_word", "marks-not-returned")
def _(word, vocabulary):
    return [piece.replace("##", "") for piece in cut_by_calling_itself(word, vocabulary)]


@wrong("cut_word", "first-piece-marked")
def _(word, vocabulary):
    return cut_by_calling_itself(word, vocabulary, "##")


def letter_by_letter(fits_not):
    def cut(word, vocabulary):
        pieces, place = [], 0
        while place < len(word):
            mark = ["", "##"][place > 0]
            ends = [
                e for e in range(place + 1, len(word) + 1) if mark + word[place:e] in vocabulary
            ]
            end = max(ends, default=place + 1)
            pieces.append(mark + word[place:end] if ends else fits_not(mark, word[place]))
            place = end
        return [piece for piece in pieces if piece]

    return cut


wrong("cut_word", "letters-left-out")(letter_by_letter(lambda mark, letter: None))
wrong("cut_word", "unknown-letters")(letter_by_letter(lambda mark, letter: "[UNK]"))
wrong("cut_word", "letters-kept")(letter_by_letter(lambda mark, letter: mark + letter))


def every_cut(word, vocabulary, mark=""):
    cuts = [[]] if not word else []
    for end in range(1, len(word) + 1):
        if mark + word[:end] in vocabulary:
            rests = every_cut(word[end:], vocabulary, "##")
            cuts += [[mark + word[:end], *rest] for rest in rests]
    return cuts


@wrong("cut_word", "goes-back")
def _(word, vocabulary):
    cuts = every_cut(word, vocabulary)
    return max(cuts, key=lambda cut: [len(piece) for piece in cut]) if cuts else ["[UNK]"]


@wrong("cut_word", "fewest-pieces")
def _(word, vocabulary):
    cuts = every_cut(word, vocabulary)[::-1]
    return min(cuts, key=len) if cuts else ["[UNK]"]


@wrong("cut_word", "from-the-end")
def _(word, vocabulary):
    pieces = []
    while word:
        for start in range(len(word)):
            piece = "##" * (start > 0) + word[start:]
            if piece in vocabulary:
                pieces = [piece, *pieces]
                word = word[:start]
                break
        else:
            return ["[UNK]"]
    return pieces


@wrong("cut_word", "longest-anywhere")
def _(word, vocabulary):
    spans = [(s, e) for s in range(len(word)) for e in range(s + 1, len(word) + 1)]
    taken = {}
    for s, e in sorted(spans, key=lambda span: span[0] - span[1]):
        free = not any(s < b and a < e for a, b in taken)
        if free and "##"[: 2 * s] + word[s:e] in vocabulary:
            taken[s, e] = "##"[: 2 * s] + word[s:e]
    covered = sum(e - s for s, e in taken)
    return [taken[span] for span in sorted(taken)] if covered == len(word) else ["[UNK]"]


@wrong("cut_word", "first-in-the-list")
def _(word, vocabulary):
    pieces = []
    while word:
        mark = "##" if pieces else ""
        fitting = [p for p in vocabulary if (mark + word).startswith(p) and p != "##"]
        if not fitting:
            return ["[UNK]"]
        pieces.append(fitting[0])
        word = word[len(fitting[0]) - len(mark) :]
    return pieces


@wrong("cut_word", "rest-not-cut")
def _(word, vocabulary):
    beginnings = [p for p in vocabulary if word.startswith(p)]
    if not beginnings:
        return ["[UNK]"]
    first = sorted(beginnings, key=len)[-1]
    return [first] if first == word else [first, "##" + word[len(first) :]]


@wrong("cut_word", "whole-words-only")
def _(word, vocabulary):
    return [{True: word, False: "[UNK]"}[word in vocabulary]]


@wrong("cut_word", "begins-with-a-continuation")
def _(word, vocabulary):
    pieces = cut_by_calling_itself(word, vocabulary)
    if pieces == ["[UNK]"] and word[0] not in vocabulary:
        pieces = cut_by_calling_itself(word, vocabulary, "##")
    return pieces


@wrong("cut_word", "marks-optional")
def _(word, vocabulary):
    pieces = []
    while word:
        for end in range(len(word), 0, -1):
            found = [p for p in ("##" + word[:end], word[:end]) if p in vocabulary]
            if found:
                break
        else:
            return ["[UNK]"]
        pieces, word = pieces + found[:1], word[end:]
    return pieces


@wrong("cut_word", "not-in-the-vocabulary")
def _(word, vocabulary):
    return ["##" + piece.upper() for piece in cut_by_calling_itself(word, vocabulary)]


@wrong("cut_word", "another-word")
def _(word, vocabulary):
    pieces = cut_by_calling_itself(word, vocabulary)
    return pieces[:-1] if pieces[1:] else pieces


@wrong("cut_word", "unknown-too-often")
def _(word, vocabulary):
    pieces = cut_by_calling_itself(word, vocabulary)
    return pieces if len(pieces) < 3 else ["[UNK]"]


@wrong("cut_word", "unknown-missing")
def _(word, vocabulary):
    pieces = cut_by_calling_itself(word, vocabulary)
    return ["[UNK]", "[UNK]"] if pieces == ["[UNK]"] else pieces


# ----------------------------------------------------------------- rms_norm


@right("rms_norm")
def rms_norm_of_torch(x, gain, eps):
    return F.rms_norm(torch.tensor(x), gain.shape, torch.tensor(gain), eps)


@right("rms_norm")
def rms_norm_position_by_position(x, gain, eps):
    if x.ndim > 1:
        return np.stack([rms_norm_position_by_position(row, gain, eps) for row in x])
    size = math.sqrt(sum(float(number) ** 2 for number in x) / len(x) + eps)
    return [number / size * g for number, g in zip(x, gain, strict=True)]


@right("rms_norm")
def rms_norm_with_a_dot_product(x, gain, eps):
    square = np.einsum("...d,...d->...", x, x)[..., None] / len(gain)
    return gain * x * (square + eps) ** -0.5


@right("rms_norm")
def rms_norm_from_mean_and_variance(x, gain, eps):
    square = x.var(-1) + x.mean(-1) ** 2
    return (x.T / np.sqrt(square + eps).T).T * gain


def row_by_row(size, numerator=lambda row: row, scale=lambda row, gain: row * gain):
    """Normalise each position by itself: ``size(row, eps)`` is what it is divided by."""

    def norm(x, gain, eps):
        rows = [scale(numerator(row) / size(row, eps), gain) for row in x.reshape(-1, x.shape[-1])]
        return np.array(rows).reshape(x.shape)

    return norm


def root_mean_square(row, eps):
    return np.linalg.norm([*(row / np.sqrt(row.size)), np.sqrt(eps)])


def minus_mean(row):
    return row - sum(row) / len(row)


def spread(row, ddof=0):
    return sum(minus_mean(row) ** 2) / (len(row) - ddof)


wrong("rms_norm", "mean-subtracted")(
    row_by_row(lambda row, eps: math.sqrt(spread(row) + eps), minus_mean)
)
wrong("rms_norm", "mean-subtracted")(row_by_row(root_mean_square, minus_mean))


@wrong("rms_norm", "mean-subtracted")
def layer_norm_of_torch(x, gain, eps):
    return F.layer_norm(torch.tensor(x), gain.shape, torch.tensor(gain), None, eps)


wrong("rms_norm", "mean-subtracted")(row_by_row(lambda row, eps: row.std(ddof=1) + eps, minus_mean))
wrong("rms_norm", "standard-deviation")(row_by_row(lambda row, eps: math.sqrt(spread(row) + eps)))
wrong("rms_norm", "standard-deviation")(row_by_row(lambda row, eps: np.std(row) + eps))
wrong("rms_norm", "one-fewer")(row_by_row(lambda row, eps: math.sqrt(spread(row, 1) + eps)))
wrong("rms_norm", "one-fewer")(
    row_by_row(lambda row, eps: math.sqrt(sum(row**2) / (len(row) - 1) + eps))
)
wrong("rms_norm", "sum-for-mean")(row_by_row(lambda row, eps: np.linalg.norm(row) + eps))
wrong("rms_norm", "sum-for-mean")(row_by_row(lambda row, eps: math.sqrt(row @ row + eps)))
wrong("rms_norm", "no-root")(row_by_row(lambda row, eps: row @ row / len(row) + eps))
wrong("rms_norm", "root-before-the-mean")(
    row_by_row(lambda row, eps: sum(abs(row)) / len(row) + eps)
)
wrong("rms_norm", "not-squared")(row_by_row(lambda row, eps: sum(row) / len(row) + eps))
wrong("rms_norm", "eps-outside-the-root")(
    row_by_row(lambda row, eps: root_mean_square(row, 0) + eps)
)


@wrong("rms_norm", "eps-after-dividing")
def _(x, gain, eps):
    return (
        np.linalg.multi_dot([x.reshape(-1, x.shape[-1]), np.eye(x.shape[-1])]).reshape(x.shape)
        / np.sqrt(np.average(x**2, -1)[..., None])
        * gain
        + eps
    )


wrong("rms_norm", "eps-missing")(row_by_row(lambda row, eps: root_mean_square(row, 0)))
wrong("rms_norm", "own-eps")(row_by_row(lambda row, eps: root_mean_square(row, 1e-6)))
wrong("rms_norm", "own-eps")(row_by_row(lambda row, eps: root_mean_square(row, 1e-8)))
wrong("rms_norm", "eps-as-a-floor")(
    row_by_row(lambda row, eps: math.sqrt(max(eps, row @ row / len(row))))
)
wrong("rms_norm", "eps-as-a-floor")(row_by_row(lambda row, eps: max(eps, root_mean_square(row, 0))))


@wrong("rms_norm", "over-positions")
def _(x, gain, eps):
    return gain * x / np.sqrt(sum(x**2) / len(x) + eps)


@wrong("rms_norm", "over-axis-1")
def _(x, gain, eps):
    return gain * x / np.sqrt(np.expand_dims(np.mean(x**2, 1), 1) + eps)


@wrong("rms_norm", "over-everything")
def _(x, gain, eps):
    return gain * x / root_mean_square(x.ravel(), eps)


@wrong("rms_norm", "keepdims-forgotten")
def _(x, gain, eps):
    return x * (np.square(x).sum(-1) / x.shape[-1] + eps) ** -0.5 * gain


wrong("rms_norm", "gain-forgotten")(row_by_row(root_mean_square, scale=lambda row, gain: row))
wrong("rms_norm", "gain-added")(row_by_row(root_mean_square, scale=lambda row, gain: row + gain))
wrong("rms_norm", "gain-divides")(row_by_row(root_mean_square, scale=lambda row, gain: row / gain))
wrong("rms_norm", "gain-plus-1")(
    row_by_row(root_mean_square, scale=lambda row, gain: row + row * gain)
)


@wrong("rms_norm", "gain-before")
def _(x, gain, eps):
    return rms_norm_with_a_dot_product(x * gain, np.ones(len(gain)), eps)


@wrong("rms_norm", "gain-inside")
def _(x, gain, eps):
    return row_by_row(root_mean_square)(x * gain, gain, eps)


@wrong("rms_norm", "gain-inside")
def of_the_scaled_row_below_the_line_only(x, gain, eps):
    return x / np.sqrt(np.square(x * gain).sum(-1, keepdims=True) / len(gain) + eps)


wrong("rms_norm", "multiplied")(row_by_row(lambda row, eps: 1 / root_mean_square(row, eps)))
wrong("rms_norm", "sign-changed")(row_by_row(root_mean_square, lambda row: row - row.max()))


@wrong("rms_norm", "sign-changed")
def standard_scores_of_the_whole_array(x, gain, eps):
    return (x - x.mean()) / (x.std() + eps) * gain


wrong("rms_norm", "mean-square-not-one")(row_by_row(lambda row, eps: np.median(abs(row)) + eps))
wrong("rms_norm", "mean-square-not-one")(row_by_row(lambda row, eps: max(abs(row)) + eps))

# ------------------------------------------------------------------- swiglu


def logistic(z):
    return 0.5 + np.tanh(z / 2) / 2


@right("swiglu")
def swiglu_of_torch(x, W_gate, W_up, W_down):
    x, W_gate, W_up, W_down = map(torch.tensor, (x, W_gate, W_up, W_down))
    return (F.silu(x @ W_gate) * (x @ W_up)) @ W_down


@right("swiglu")
def swiglu_with_loops(x, W_gate, W_up, W_down):
    output = np.zeros((len(x), W_down.shape[1]))
    for row, out in zip(x, output, strict=True):
        for unit in range(len(W_down)):
            z = sum(row * W_gate[:, unit])
            open_ = 1 / (1 + math.exp(-z)) if z > -700 else 0.0
            out += z * open_ * sum(row * W_up[:, unit]) * W_down[unit]
    return output.tolist()


@right("swiglu")
def swiglu_with_both_at_once(x, W_gate, W_up, W_down):
    both = x @ np.hstack([W_gate, W_up])
    gate, up = np.split(both, 2, axis=1)
    return np.einsum("nf,nf,nf,fd->nd", gate, logistic(gate), up, W_down)


@right("swiglu")
def swiglu_with_the_gate_on_the_other_side(x, W_gate, W_up, W_down):
    z = W_gate.T @ x.T  # (d_ff, length)
    return (W_down.T @ (z / (1 + np.exp(-z)) * (W_up.T @ x.T))).T


def units(gate, joined=lambda g, u: g * u, x_too=False):
    """Make a gated layer from functions of what the two matrices make."""

    def layer(x, W_gate, W_up, W_down):
        z, up = np.dot(x, W_gate), np.dot(x, W_up)
        return np.dot(joined(gate(z), up), W_down) + x_too * x

    return layer


def swish(z):
    return z * logistic(z)


wrong("swiglu", "sigmoid-only")(units(logistic))
wrong("swiglu", "branches-swapped")(units(lambda z: z, lambda g, u: g * swish(u)))
wrong("swiglu", "both-bent")(units(swish, lambda g, u: g * swish(u)))
wrong("swiglu", "relu")(units(lambda z: z * (z > 0)))
wrong("swiglu", "gelu")(units(lambda z: F.gelu(torch.tensor(z)).numpy()))
wrong("swiglu", "gelu")(units(lambda z: F.gelu(torch.tensor(z), approximate="tanh").numpy()))
wrong("swiglu", "gelu")(units(lambda z: z * logistic(1.702 * z)))
wrong("swiglu", "no-bend")(units(lambda z: z))
wrong("swiglu", "added")(units(swish, lambda g, u: g + u))
wrong("swiglu", "up-forgotten")(units(swish, lambda g, u: g))
wrong("swiglu", "gate-forgotten")(units(swish, lambda g, u: u))
wrong("swiglu", "gate-forgotten")(units(swish, lambda g, u: swish(u)))
wrong("swiglu", "gate-forgotten")(units(swish, lambda g, u: np.clip(u, 0, None)))
wrong("swiglu", "bent-after-the-product")(units(lambda z: z, lambda g, u: swish(g * u)))
wrong("swiglu", "sigmoid-turned-round")(units(lambda z: z * (1 - logistic(z))))
wrong("swiglu", "tanh")(units(np.tanh))
wrong("swiglu", "tanh")(units(lambda z: np.tanh(z) * z))
wrong("swiglu", "softplus")(units(lambda z: F.softplus(torch.tensor(z)).numpy()))
wrong("swiglu", "softmax")(units(lambda z: torch.softmax(torch.tensor(z), 1).numpy()))
wrong("swiglu", "residual-added")(units(swish, x_too=True))
wrong("swiglu", "gate-and-up-swapped")(units(lambda z: z, lambda g, u: g * logistic(u)))
wrong("swiglu", "something-of-nothing")(units(lambda z: swish(z) + 1, lambda g, u: g * (u + 1)))


@wrong("swiglu", "bent-at-the-end")
def _(x, W_gate, W_up, W_down):
    return F.silu(torch.tensor((x @ W_gate * (x @ W_up)) @ W_down))


@wrong("swiglu", "bent-at-the-end")
def bent_twice(x, W_gate, W_up, W_down):
    return swish(swiglu_with_both_at_once(x, W_gate, W_up, W_down))


@wrong("swiglu", "bent-at-the-start")
def _(x, W_gate, W_up, W_down):
    return (np.dot(swish(x), W_gate) * np.dot(x, W_up)) @ W_down


@wrong("swiglu", "gate-after-down")
def _(x, W_gate, W_up, W_down):
    return np.multiply(x @ W_up @ W_down, swish(x @ W_gate))


@wrong("swiglu", "transposed")
def _(x, W_gate, W_up, W_down):
    return F.linear(*map(torch.tensor, (swish(x @ W_gate.T) * (x @ W_up.T), W_down)))


@wrong("swiglu", "transposed")
def last_matrix_only(x, W_gate, W_up, W_down):
    hidden = swish(x @ W_gate) * (x @ W_up)
    return np.array([[row @ out for out in W_down] for row in hidden])


@wrong("swiglu", "overflows")
def _(x, W_gate, W_up, W_down):
    z = x @ W_gate
    return (np.exp(z) / (np.exp(z) + 1) * z * (x @ W_up)) @ W_down


# -------------------------------------------------------------- to_adjacent


@right("to_adjacent")
def row_by_row_of_each_head(W, d_k):
    rows = []
    for head in range(0, len(W), d_k):
        for i in range(d_k // 2):
            rows += [W[head + i], W[head + d_k // 2 + i]]
    return rows


@right("to_adjacent")
def with_slices(W, d_k):
    reordered, row = np.empty_like(W), np.arange(len(W)) % d_k
    reordered[0::2] = W[row < d_k // 2]
    reordered[1::2] = W[row >= d_k // 2]
    return reordered


@right("to_adjacent")
def with_a_permutation_matrix(W, d_k):
    one = np.zeros((d_k, d_k))
    for i in range(d_k // 2):
        one[2 * i, i] = one[2 * i + 1, i + d_k // 2] = 1
    return np.kron(np.eye(len(W) // d_k), one) @ W


@right("to_adjacent")
def with_torch(W, d_k):
    heads = torch.tensor(W).unflatten(0, (-1, 2, d_k // 2))
    return heads.transpose(1, 2).flatten(0, 2)


@right("to_adjacent")
def sorted_by_pair(W, d_k):
    half = d_k // 2
    return W[sorted(range(len(W)), key=lambda r: (r // d_k, r % d_k % half, r % d_k // half))]


def moved(source):
    """Fill each row from another: ``source(head, i, d_k, heads)`` says from which one."""

    def reorder(W, d_k):
        heads = len(W) // d_k
        return np.array([W[source(row // d_k, row % d_k, d_k, heads)] for row in range(len(W))])

    return reorder


def right_place(i, d_k):
    return i // 2 + (i % 2) * (d_k // 2)


wrong("to_adjacent", "unchanged")(moved(lambda h, i, d_k, heads: h * d_k + i))
wrong("to_adjacent", "across-heads")(
    moved(lambda h, i, d_k, heads: right_place(h * d_k + i, heads * d_k))
)
wrong("to_adjacent", "heads-mixed")(moved(lambda h, i, d_k, heads: right_place(i, d_k) * heads + h))


@wrong("to_adjacent", "heads-mixed")
def _(W, d_k):
    right_rows = with_slices(W, d_k)
    return [right_rows[head + row] for row in range(d_k) for head in range(0, len(W), d_k)]


wrong("to_adjacent", "the-way-back")(
    moved(lambda h, i, d_k, heads: h * d_k + 2 * i % d_k + 2 * i // d_k)
)


@wrong("to_adjacent", "the-way-back-across-heads")
def _(W, d_k):
    return np.vstack([W[::2], W[1::2]])


@wrong("to_adjacent", "columns")
def _(W, d_k):
    order = [right_place(i, d_k) for i in range(d_k)]
    return W[:, order] if W.shape[1] == d_k else W


@wrong("to_adjacent", "columns-too")
def _(W, d_k):
    rows = with_slices(W, d_k)
    return with_slices(rows.T, d_k).T if W.shape[1] % d_k == 0 else rows


wrong("to_adjacent", "neighbours-swapped")(
    moved(lambda h, i, d_k, heads: h * d_k + (i + 1 if i % 2 == 0 else i - 1))
)
wrong("to_adjacent", "second-first")(
    moved(lambda h, i, d_k, heads: h * d_k + right_place(i, d_k) + (-1) ** i * (d_k // 2))
)
wrong("to_adjacent", "halves-swapped")(
    moved(lambda h, i, d_k, heads: h * d_k + (i + d_k // 2) % d_k)
)
wrong("to_adjacent", "reversed")(moved(lambda h, i, d_k, heads: h * d_k + d_k - 1 - i))
wrong("to_adjacent", "reversed")(moved(lambda h, i, d_k, heads: -1 - h * d_k - i))
wrong("to_adjacent", "pairs-reversed")(
    moved(lambda h, i, d_k, heads: h * d_k + right_place(d_k - 2 - i + 2 * (i % 2), d_k))
)
wrong("to_adjacent", "second-half-reversed")(
    moved(lambda h, i, d_k, heads: h * d_k + (d_k - 1 - i // 2 if i % 2 else i // 2))
)
wrong("to_adjacent", "first-head-only")(
    moved(lambda h, i, d_k, heads: right_place(i, d_k) if h == 0 else h * d_k + i)
)


@wrong("to_adjacent", "negated")
def _(W, d_k):
    rows = with_slices(W, d_k)
    rows[1::2] *= -1
    return rows


@wrong("to_adjacent", "rotate-half")
def _(W, d_k):
    turned = []
    for head in np.split(W, len(W) // d_k):
        first, second = np.split(head, 2)
        turned += [-second, first]
    return np.concatenate(turned)


@wrong("to_adjacent", "rows-changed")
def _(W, d_k):
    return np.repeat(W[::2], 2, axis=0)


@wrong("to_adjacent", "leaves-its-head")
def _(W, d_k):
    return np.roll(with_slices(W, d_k), d_k, axis=0)


@wrong("to_adjacent", "partners-apart")
def _(W, d_k):
    rows = with_slices(W, d_k).reshape(-1, d_k, W.shape[1])
    return np.roll(rows, 1, axis=1).reshape(W.shape)


# --------------------------------------------------------------- may_attend


@right("may_attend")
def attended_with_loops(kind, tokens):
    n = len(tokens)
    mask = np.zeros((n, n), dtype=bool)
    for query in range(n):
        for key in range(n):
            late = kind == "decoder" and key > query
            mask[query, key] = tokens[key] != 0 and not late
    return mask


@right("may_attend")
def attended_with_tri(kind, tokens):
    past = np.tri(len(tokens), dtype=bool)
    open_ = past if kind == "decoder" else past | past.T
    return open_ & (tokens > 0)[None]


@right("may_attend")
def attended_as_a_list(kind, tokens):
    seen = [[bool(token) for token in tokens] for _ in tokens]
    if kind != "encoder":
        seen = [[s and k <= q for k, s in enumerate(row)] for q, row in enumerate(seen)]
    return seen


@right("may_attend")
def attended_with_an_empty_column(kind, tokens):
    size = (len(tokens), len(tokens))
    mask = {"encoder": np.ones(size, dtype=bool), "decoder": np.tril(np.ones(size)) > 0}[kind]
    mask[:, np.flatnonzero(tokens == 0)] = False
    return torch.tensor(mask)


def pairwise(rule):
    """Make masks from ``rule(kind, tokens, query, key)`` for one query and one key."""

    def mask(kind, tokens):
        places = range(len(tokens))
        return [[bool(rule(kind, tokens, q, k)) for k in places] for q in places]

    return mask


def causal(kind, q, k):
    return kind == "encoder" or k <= q


wrong("may_attend", "inverted")(
    pairwise(lambda kind, t, q, k: t[k] == 0 or (kind == "decoder" and k > q))
)
wrong("may_attend", "padding-as-queries")(
    pairwise(lambda kind, t, q, k: t[q] and causal(kind, q, k))
)
wrong("may_attend", "padded-queries-emptied")(
    pairwise(lambda kind, t, q, k: t[q] * t[k] and causal(kind, q, k))
)
wrong("may_attend", "padding-forgotten")(pairwise(lambda kind, t, q, k: causal(kind, q, k)))
wrong("may_attend", "padding-in-the-decoder")(
    pairwise(lambda kind, t, q, k: t[k] if kind == "encoder" else k <= q)
)
wrong("may_attend", "padding-in-the-encoder")(
    pairwise(lambda kind, t, q, k: kind == "encoder" or (t[k] and k <= q))
)
wrong("may_attend", "padding-inverted")(
    pairwise(lambda kind, t, q, k: t[k] == 0 and causal(kind, q, k))
)
wrong("may_attend", "excludes-itself")(
    pairwise(lambda kind, t, q, k: t[k] and (kind == "encoder" or k < q))
)
wrong("may_attend", "excludes-itself")(
    pairwise(lambda kind, t, q, k: t[k] and k != q and causal(kind, q, k))
)
wrong("may_attend", "masked-word-excludes-itself")(
    pairwise(lambda kind, t, q, k: t[k] and (k != q if kind == "encoder" else k <= q))
)
wrong("may_attend", "causal-turned-round")(
    pairwise(lambda kind, t, q, k: t[k] and causal(kind, k, q))
)
wrong("may_attend", "causal-turned-round")(
    pairwise(lambda kind, t, q, k: t[k] and (kind == "encoder" or k > q))
)
wrong("may_attend", "one-step-into-the-future")(
    pairwise(lambda kind, t, q, k: t[k] and causal(kind, q + 1, k))
)
wrong("may_attend", "both-causal")(pairwise(lambda kind, t, q, k: t[k] and k <= q))
wrong("may_attend", "both-open")(pairwise(lambda kind, t, q, k: t[k]))
wrong("may_attend", "kinds-swapped")(
    pairwise(lambda kind, t, q, k: t[k] and (kind == "decoder" or k <= q))
)
wrong("may_attend", "padding-thought-to-come-last")(
    pairwise(lambda kind, t, q, k: k < np.count_nonzero(t) and causal(kind, q, k))
)
wrong("may_attend", "padding-thought-to-come-first")(
    pairwise(lambda kind, t, q, k: k >= np.count_nonzero(t == 0) and causal(kind, q, k))
)


def left(tokens):
    return next((place for place, token in enumerate(tokens) if token), 0)


wrong("may_attend", "positions-shifted")(
    pairwise(lambda kind, t, q, k: t[k] and causal(kind, q - left(t), k))
)
wrong("may_attend", "positions-shifted")(
    pairwise(lambda kind, t, q, k: t[k] and causal(kind, q, k - left(t)))
)
wrong("may_attend", "or")(pairwise(lambda kind, t, q, k: t[k] or (kind == "decoder" and k <= q)))
wrong("may_attend", "or")(pairwise(lambda kind, t, q, k: t[k] or causal(kind, q, k)))
wrong("may_attend", "padding-sees-itself")(
    pairwise(lambda kind, t, q, k: k == q or (t[k] and causal(kind, q, k)))
)


@wrong("may_attend", "empty-rows-opened")
def _(kind, tokens):
    mask = attended_with_loops(kind, tokens)
    mask[mask.sum(1) == 0] = True
    return mask


@wrong("may_attend", "one-row-for-all")
def _(kind, tokens):
    return [tokens != 0] if kind == "encoder" else attended_with_loops(kind, tokens)


@wrong("may_attend", "one-row-for-all")
def real_tokens(kind, tokens):
    return tokens.astype(bool)


wrong("may_attend", "token-1-taken-for-padding")(
    pairwise(lambda kind, t, q, k: t[k] >= 2 and causal(kind, q, k))
)
wrong("may_attend", "tokens-compared")(
    pairwise(lambda kind, t, q, k: t[k] and causal(kind, t[q], t[k]))
)
wrong("may_attend", "looks-at-padding")(
    pairwise(lambda kind, t, q, k: (t[k] or not t[q]) and causal(kind, q, k))
)
wrong("may_attend", "sees-the-future")(
    pairwise(lambda kind, t, q, k: t[k] and (causal(kind, q, k) or k == len(t) - 1))
)
wrong("may_attend", "hides-real-tokens")(
    pairwise(lambda kind, t, q, k: t[k] and causal(kind, q, k) and q - k < 2)
)


@wrong("may_attend", "additive-mask")
def _(kind, tokens):
    return np.log(attended_with_tri(kind, tokens))


@wrong("may_attend", "numbers-for-booleans")
def _(kind, tokens):
    return attended_with_tri(kind, tokens) * 1
