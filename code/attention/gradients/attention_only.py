"""Attention layers and nothing else, to be trained in a page (learning: An induction head)."""

import numpy as np
from jaxtyping import Bool, Float, Integer

from attention._arguments import positive_integer
from attention._arrays import Array, Number
from attention.by_hand import scaled_dot_product_attention
from attention.gradients._arguments import check_tokens
from attention.gradients.loss import cross_entropy, cross_entropy_gradient
from attention.gradients.projections import linear_gradient, self_attention_gradient


class AttentionOnly:
    """Embeddings, layers of one attention head each, and a read-out.

    Each layer adds its output to what came in (the *residual*). There is no feed-forward
    network, no norm and no bias; the matrix that usually follows the head is part of
    ``W_V``, whose columns are as many as ``d_model``.

    Parameters
    ----------
    vocab_size, length : int
        Number of tokens, and of positions.
    d_model, d_k, layers : int
    generator : np.random.Generator
        Weights are drawn from it, in float64.
    scale : number, optional
        Factor on the scores. Default: ``1 / sqrt(d_k)``.
    tied : bool
        Whether one matrix, ``W_Q``, makes queries and keys.

    Attributes
    ----------
    parameters : dict of arrays
        ``embedding``, ``positions``, ``readout``, and of each layer ``W_Q 0``, ``W_K 0``,
        ``W_V 0`` and so on.

    Raises
    ------
    ValueError
        If a size is not a positive integer.
    """

    def __init__(
        self,
        vocab_size: int,
        length: int,
        d_model: int,
        d_k: int,
        layers: int,
        generator: np.random.Generator,
        scale: Number | None = None,
        tied: bool = False,
    ):
        names = ("vocab_size", "length", "d_model", "d_k", "layers")
        sizes = map(positive_integer, names, (vocab_size, length, d_model, d_k, layers))
        vocab_size, length, d_model, d_k, layers = sizes
        self.layers, self.scale, self.tied = layers, scale, tied

        def normal(rows: int, columns: int, variance: float) -> Array:
            return generator.normal(size=(rows, columns)) * variance**0.5

        self.parameters = {
            "embedding": normal(vocab_size, d_model, 1 / 2),
            "positions": normal(length, d_model, 1 / 2),
        }
        for layer in range(layers):
            for name, columns in (("W_Q", d_k), ("W_K", d_k), ("W_V", d_model)):
                self.parameters[f"{name} {layer}"] = normal(d_model, columns, 1 / d_model)
            if tied:
                del self.parameters[f"W_K {layer}"]
        self.parameters["readout"] = normal(d_model, vocab_size, 1 / d_model)

    def projections(self, layer: int) -> tuple[Array, Array, Array]:
        """Give ``W_Q``, ``W_K`` and ``W_V`` of a layer."""
        names = ("W_Q", "W_Q" if self.tied else "W_K", "W_V")
        return tuple(self.parameters[f"{name} {layer}"] for name in names)

    def forward(
        self, tokens: Integer[Array, "batch length"], mask: Bool[Array, "..."] | None = None
    ) -> tuple[
        Float[Array, "batch length vocab_size"],
        list[Float[Array, "batch length length"]],
        list[Float[Array, "batch length d_model"]],
    ]:
        """Compute the logits of each position.

        Returns
        -------
        logits : (batch, length, vocab_size)
        maps : list of (batch, length, length) arrays
            The attention weights of each layer.
        streams : list of (batch, length, d_model) arrays
            What went into each layer, and what came out of the last.

        Raises
        ------
        ValueError
            If ``tokens`` are not integers, are longer than the positions, or are not in
            the vocabulary.
        """
        embedding, positions = self.parameters["embedding"], self.parameters["positions"]
        check_tokens(tokens, len(positions), len(embedding))
        streams = [embedding[tokens] + positions[: tokens.shape[1]]]  # (batch, length, d_model)
        maps = []
        for layer in range(self.layers):
            x = streams[-1]
            W_Q, W_K, W_V = self.projections(layer)
            output, weights = scaled_dot_product_attention(
                x @ W_Q, x @ W_K, x @ W_V, mask, self.scale
            )  # (batch, length, d_model), (batch, length, length)
            streams.append(x + output)
            maps.append(weights)
        return streams[-1] @ self.parameters["readout"], maps, streams

    def loss_and_gradients(
        self,
        tokens: Integer[Array, "batch length"],
        targets: Integer[Array, "batch length"],
        wanted: Bool[Array, "batch length"],
        mask: Bool[Array, "..."] | None = None,
    ) -> tuple[float, Float[Array, "batch length vocab_size"], dict[str, Array]]:
        """Compute the loss and its gradient with respect to each parameter.

        Returns
        -------
        loss : float
            ``cross_entropy`` of the wanted answers, in nats.
        logits : (batch, length, vocab_size)
        gradients : dict of arrays
            Under the names of the parameters.

        Raises
        ------
        ValueError
            As in ``forward``, ``cross_entropy`` and ``attention_gradient``.
        """
        logits, _, streams = self.forward(tokens, mask)
        d_logits = cross_entropy_gradient(logits, targets, wanted)
        gradients = dict.fromkeys(self.parameters)  # in the same order
        d_x, gradients["readout"] = linear_gradient(
            streams[-1], self.parameters["readout"], d_logits
        )
        for layer in reversed(range(self.layers)):
            through, d_W_Q, d_W_K, d_W_V = self_attention_gradient(
                streams[layer], *self.projections(layer), d_x, mask, self.scale
            )
            d_x = d_x + through  # around the layer, and through it
            gradients[f"W_V {layer}"] = d_W_V
            gradients[f"W_Q {layer}"] = d_W_Q + d_W_K if self.tied else d_W_Q
            if not self.tied:
                gradients[f"W_K {layer}"] = d_W_K

        embedding, positions = self.parameters["embedding"], self.parameters["positions"]
        # A token's embedding is its one-hot row times the matrix of embeddings.
        one_hot = np.eye(len(embedding))[tokens]  # (batch, length, vocab_size)
        gradients["embedding"] = linear_gradient(one_hot, embedding, d_x)[1]
        gradients["positions"] = np.zeros_like(positions)
        gradients["positions"][: tokens.shape[1]] = d_x.sum(0)
        return cross_entropy(logits, targets, wanted), logits, gradients
