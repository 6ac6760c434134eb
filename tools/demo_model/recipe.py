"""How the demo model is initialised and trained."""
import collections
import copy
import math
import random

import numpy as np
import torch
from torch.nn import functional

import network
import wordpiece

# Of the stream of random directions. They matter more than everything that is random in training,
# by 0.02 on KLUE-STS, so they are a part of the recipe and no other seed changes them.
DIRECTIONS = 0
# The residual branches begin as zero, so the first stage leaves them out, which is ten times as
# fast. Rates are those of the embeddings and of everything else.
Stage = collections.namedtuple("Stage", "name epochs branches embedding_rate other_rate")
STAGES = [Stage("embeddings", 12, False, 2e-2, 1e-3), Stage("all", 2, True, 2e-3, 1e-3)]
PAIRS = 64  # of each kind in a step
WARM_UP = 100  # steps
DROPOUT = 0.1
MOST_TOKENS = 48  # of a training sentence
AVERAGING = 0.99  # of the weights, over the last hundred steps or so
# What a cosine should be. Inference is no similarity, but what follows is closer than what does not.
COSINES = {"entailment": 1.0, "neutral": 0.5, "contradiction": 0.25}
INFERENCE_WEIGHT = 1.0


# ------------------------------------------------------------------------------- initialisation

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


def initialise(encoder, pieces, texts, tokenize):
    """Makes the output the mean of `spelled_embeddings`: every residual branch begins as zero, and
    the last layer norm drops the two features that keep lengths."""
    for name, values in encoder.named_parameters():
        if name.endswith("LayerNorm.weight"):
            torch.nn.init.ones_(values)
        elif name.endswith(("query.weight", "key.weight", "value.weight",
                            "intermediate.dense.weight")):
            torch.nn.init.normal_(values, std=0.05)
        else:
            torch.nn.init.zeros_(values)
    embeddings = spelled_embeddings(pieces, texts, tokenize, network.HIDDEN - 2)
    with torch.no_grad():
        encoder.embeddings["word_embeddings"].weight.copy_(
            torch.from_numpy(keep_lengths(embeddings)))
        encoder.encoder["layer"][-1].output.LayerNorm.weight[-2:] = 0


# ------------------------------------------------------------------------------------- training

def embed(encoder, sentences, branches=True, at_once=256):
    """The vectors of tokenized sentences, in their order."""
    encoder.eval()
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
    vectors = torch.zeros(len(sentences), network.HIDDEN)
    with torch.no_grad():
        for begin in range(0, len(order), at_once):
            part = order[begin:begin + at_once]
            vectors[part] = encoder([sentences[i] for i in part], branches)
    encoder.train()
    return vectors


def cosines(encoder, tokenize, pairs, branches=True):
    first = embed(encoder, [tokenize(pair[0]) for pair in pairs], branches)
    second = embed(encoder, [tokenize(pair[1]) for pair in pairs], branches)
    return functional.cosine_similarity(first, second).numpy()


def batches(pairs):
    """Parts of the pairs without end, in another order each time round."""
    while True:
        order = random.sample(pairs, len(pairs))
        for begin in range(0, len(order) - PAIRS + 1, PAIRS):
            yield order[begin:begin + PAIRS]


def pair_loss(first, second, wanted):
    """How far the cosines are from what is wanted, and those of strangers from 0."""
    found = functional.cosine_similarity(first, second)
    strangers = functional.cosine_similarity(first, second.roll(1, 0))
    return functional.mse_loss(found, wanted) + strangers.square().mean()


def tokenized_pairs(corpora, tokenize):
    """(first, second, wanted cosine) of the scored pairs and of the inferences."""
    scored = [(tokenize(pair.first, MOST_TOKENS), tokenize(pair.second, MOST_TOKENS),
               pair.score / 5) for pair in corpora.scored]
    inferred = [(tokenize(pair.premise, MOST_TOKENS), tokenize(pair.hypothesis, MOST_TOKENS),
                 COSINES[pair.label]) for pair in corpora.inferred]
    return scored, inferred


def average_in(average, encoder, step):
    """Towards the mean of all steps at first, then of the last ones."""
    share = 1 - min(AVERAGING, (step + 1) / (step + 10))
    with torch.no_grad():
        for mean, now in zip(average.parameters(), encoder.parameters()):
            mean.lerp_(now, share)


def train(encoder, corpora, tokenize, seed, report):
    """Trains the encoder, and leaves in it the average of its last steps. `report(stage, epoch,
    average)` is called after every epoch."""
    random.seed(seed)
    torch.manual_seed(seed)
    # Dropout at the end, where it leaves the features alone that keep lengths.
    encoder.encoder["layer"][-1].output.LayerNorm.register_forward_hook(
        lambda module, _, output: functional.dropout(output, DROPOUT, module.training))
    scored, inferred = tokenized_pairs(corpora, tokenize)
    for stage in STAGES:
        average = run_stage(stage, encoder, scored, inferred, report)
        encoder.load_state_dict(average.state_dict())


def run_stage(stage, encoder, scored, inferred, report):
    words = encoder.embeddings["word_embeddings"].weight
    others = [values for values in encoder.parameters() if values is not words]
    optimizer = torch.optim.Adam([{"params": [words]}, {"params": others}], betas=(0.9, 0.98))
    average = copy.deepcopy(encoder)
    sources = [(batches(scored), 1.0), (batches(inferred), INFERENCE_WEIGHT)]
    epoch_steps = len(scored) // PAIRS
    steps = stage.epochs * epoch_steps
    for step in range(steps):
        rate = min(1, (step + 1) / WARM_UP) * (1 - step / steps)
        for group, most in zip(optimizer.param_groups, (stage.embedding_rate, stage.other_rate)):
            group["lr"] = rate * most
        loss = 0
        for source, weight in sources:
            pairs = next(source)
            vectors = encoder([pair[side] for side in (0, 1) for pair in pairs], stage.branches)
            wanted = torch.tensor([pair[2] for pair in pairs])
            loss = loss + weight * pair_loss(*vectors.split(PAIRS), wanted)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 0.5)
        optimizer.step()
        average_in(average, encoder, step)
        if (step + 1) % epoch_steps == 0:
            report(stage, (step + 1) // epoch_steps, average)
    return average
