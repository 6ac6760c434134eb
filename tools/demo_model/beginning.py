"""The demo model before its training: a projection of a sentence's TF-IDF vector."""
import collections
import math

import numpy as np

import wordpiece
from directory import HIDDEN, INTERMEDIATE, LAYERS, POSITIONS

# Of the stream of random directions. They matter more than everything that is random in training,
# so they are a part of the recipe and no other seed changes them.
DIRECTIONS = 0
# Deviation of what queries and keys begin with: so small that attention takes nearly the plain mean.
ATTENTION = 0.0125
LAST_NORM = "encoder.layer.%d.output.LayerNorm.weight" % (LAYERS - 1)


def ngrams(text):
    """Its letters, and its pairs of neighbours; a space is none of the letters."""
    return [c for c in text if c != " "] + [text[i:i + 2] for i in range(len(text) - 1)]


def ngrams_of_piece(piece):
    """A piece that begins a word is told from one inside by the space before it."""
    return ngrams(piece.removeprefix("##") if piece.startswith("##") else " " + piece)


def ngram_rarity(sentences):
    """log(sentences / sentences with it) of every n-gram."""
    found = collections.Counter()
    for sentence in sentences:
        found.update({ngram for word in wordpiece.words_of(sentence)
                      for ngram in ngrams(" " + word + " ")})
    return collections.defaultdict(lambda: math.log(1 + len(sentences)), {
        ngram: math.log((1 + len(sentences)) / (1 + count)) for ngram, count in found.items()})


def piece_rarity(sentences, pieces):
    """log(sentences / sentences with it) of every piece; sentences are lists of ids."""
    found = np.zeros(pieces)
    for sentence in sentences:
        found[list(set(sentence))] += 1
    return np.log((1 + len(sentences)) / (1 + found))


def spelled_embeddings(pieces, texts, tokenize, features):
    """A random direction for every n-gram; a piece is the sum of its own, weighted by their rarity,
    and as long as it is rare itself. So the mean of the pieces is a projection of something like
    the sentence's TF-IDF vector. Special pieces are 0."""
    stream = np.random.RandomState(DIRECTIONS)
    directions = collections.defaultdict(lambda: stream.randn(features))
    rarity = ngram_rarity(texts)
    length = piece_rarity([tokenize(text) for text in texts], len(pieces))
    embeddings = np.zeros((len(pieces), features))
    for i, piece in enumerate(pieces):
        if piece not in wordpiece.SPECIALS:
            for ngram in ngrams_of_piece(piece):
                embeddings[i] += rarity[ngram] * directions[ngram]
            embeddings[i] *= length[i] / np.linalg.norm(embeddings[i])
    return embeddings


def keep_lengths(embeddings):
    """The same rows with mean 0 and length √features, what layer norms make of every row anyway:
    two more features, opposite to each other, take up what a short row lacks. So the lengths, which
    say how much a piece counts in the mean, survive."""
    embeddings = embeddings - embeddings.mean(1, keepdims=True)
    whole = embeddings.shape[1] + 2
    embeddings *= 0.9 * math.sqrt(whole) / np.linalg.norm(embeddings, axis=1).max()
    slack = np.sqrt((whole - (embeddings ** 2).sum(1, keepdims=True)) / 2)
    return np.concatenate([embeddings, slack, -slack], axis=1)


def tensors(pieces, texts, tokenize):
    """Every parameter by its name. The output points nearly where the mean of `spelled_embeddings` does:
    every feed-forward branch begins as zero, attention adds the sentence's mean to every piece, and the
    last layer norm drops the two features that keep lengths."""
    found = {
        "embeddings.word_embeddings.weight": keep_lengths(
            spelled_embeddings(pieces, texts, tokenize, HIDDEN - 2)),
        "embeddings.position_embeddings.weight": np.zeros((POSITIONS, HIDDEN)),
        "embeddings.token_type_embeddings.weight": np.zeros((1, HIDDEN)),
        **norm("embeddings")}
    stream = np.random.RandomState(DIRECTIONS + 1)
    for i in range(LAYERS):
        found.update(layer("encoder.layer.%d." % i, stream))
    found[LAST_NORM][-2:] = 0
    return found


def norm(name):
    return {name + ".LayerNorm.weight": np.ones(HIDDEN), name + ".LayerNorm.bias": np.zeros(HIDDEN)}


def layer(name, stream):
    """One that gives every piece, [CLS] too, a part in the sentence's mean, so that a head which looks
    at one piece only learns from the whole sentence at once. The mean of the pieces keeps its direction."""
    def dense(part, outputs, inputs, deviation=0.0):
        return {name + part + ".weight": stream.randn(outputs, inputs) * deviation,
                name + part + ".bias": np.zeros(outputs)}

    found = {**dense("attention.self.query", HIDDEN, HIDDEN, ATTENTION),
             **dense("attention.self.key", HIDDEN, HIDDEN, ATTENTION),
             **dense("attention.self.value", HIDDEN, HIDDEN),
             **dense("attention.output.dense", HIDDEN, HIDDEN),
             **norm(name + "attention.output"),
             **dense("intermediate.dense", INTERMEDIATE, HIDDEN, 0.05),
             **dense("output.dense", HIDDEN, INTERMEDIATE),
             **norm(name + "output")}
    for part in ("attention.self.value", "attention.output.dense"):
        found[name + part + ".weight"] += np.eye(HIDDEN)
    return found
