"""The encoder of RoBERTa with mean pooling, under the tensor names of Hugging Face."""
import math

import torch
from torch import nn
from torch.nn import functional

HIDDEN, LAYERS, HEADS, INTERMEDIATE, POSITIONS = 256, 2, 4, 256, 130
PAD = 1
LONGEST = POSITIONS - PAD - 1  # tokens


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Linear(HIDDEN, HIDDEN)
        self.key = nn.Linear(HIDDEN, HIDDEN)
        self.value = nn.Linear(HIDDEN, HIDDEN)


class Dense(nn.Module):
    """A matrix, and behind it, where it ends a residual branch, a layer norm."""

    def __init__(self, inputs, outputs, norm=True):
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        if norm:
            self.LayerNorm = nn.LayerNorm(outputs, eps=1e-5)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.ModuleDict({"self": SelfAttention(), "output": Dense(HIDDEN, HIDDEN)})
        self.intermediate = Dense(HIDDEN, INTERMEDIATE, norm=False)
        self.output = Dense(INTERMEDIATE, HIDDEN)

    def attend(self, x, batch):
        parts = self.attention["self"]
        query, key, value = (
            batch.padded(part(x)).view(batch.rows, batch.width, HEADS, -1).transpose(1, 2)
            for part in (parts.query, parts.key, parts.value))
        scores = query @ key.transpose(2, 3) / math.sqrt(HIDDEN // HEADS) + batch.mask
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(-1, HIDDEN)
        return self.attention["output"].dense(mixed[batch.places])

    def forward(self, x, batch, branches=True):
        if not branches:
            return self.output.LayerNorm(self.attention["output"].LayerNorm(x))
        x = self.attention["output"].LayerNorm(x + self.attend(x, batch))
        inner = functional.gelu(self.intermediate.dense(x))
        return self.output.LayerNorm(x + self.output.dense(inner))


class Batch:
    """Sentences of different lengths: their tokens one after another, without padding."""

    def __init__(self, sentences):
        lengths = torch.tensor([len(ids) for ids in sentences])
        self.rows, self.width = len(sentences), int(lengths.max())
        self.ids = torch.tensor([i for ids in sentences for i in ids])
        real = torch.arange(self.width) < lengths[:, None]
        self.places = real.flatten().nonzero().flatten()  # of the tokens in a padded matrix
        self.positions = self.places % self.width + PAD + 1
        self.row = self.places // self.width
        self.lengths = lengths
        self.mask = torch.where(real, 0.0, -1e9)[:, None, None, :]

    def padded(self, x):
        return x.new_zeros(self.rows * self.width, x.shape[1]).index_copy(0, self.places, x)

    def mean(self, x):
        total = x.new_zeros(self.rows, x.shape[1]).index_add(0, self.row, x)
        return total / self.lengths[:, None]


class Encoder(nn.Module):
    def __init__(self, pieces):
        super().__init__()
        self.embeddings = nn.ModuleDict({
            "word_embeddings": nn.Embedding(pieces, HIDDEN),
            "position_embeddings": nn.Embedding(POSITIONS, HIDDEN),
            "token_type_embeddings": nn.Embedding(1, HIDDEN),
            "LayerNorm": nn.LayerNorm(HIDDEN, eps=1e-5)})
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(Layer() for _ in range(LAYERS))})

    def forward(self, sentences, branches=True):
        """The mean of each sentence's token vectors; a sentence is a list of ids. Without residual
        branches it is what it would be if they all gave zero, only sooner."""
        batch = Batch(sentences)
        x = (self.embeddings["word_embeddings"](batch.ids) +
             self.embeddings["position_embeddings"](batch.positions) +
             self.embeddings["token_type_embeddings"].weight[0])
        x = self.embeddings["LayerNorm"](x)
        for layer in self.encoder["layer"]:
            x = layer(x, batch, branches)
        return batch.mean(x)
