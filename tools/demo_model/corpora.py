"""Reads the corpora and keeps what is measured apart from what is trained on."""
import collections
import csv
import json
import pathlib
import re

import numpy as np

# `score` is from 0 (unrelated) to 5 (the same).
Scored = collections.namedtuple("Scored", "first second score")
# `label` is entailment, neutral or contradiction.
Inferred = collections.namedtuple("Inferred", "premise hypothesis label")
# `inferred` has a list for each corpus of inferences.
Corpora = collections.namedtuple("Corpora", "scored inferred sentences held_out")

HELD_OUT = 575  # pairs, a tenth of KorSTS train


def korean_sts(path):
    """KorSTS: genre, filename, year, id, score, sentence1, sentence2; quotes mean nothing."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    return [Scored(row[5], row[6], float(row[4])) for row in rows]


def klue_sts(path):
    return [Scored(row["sentence1"], row["sentence2"], row["labels"]["real-label"])
            for row in json.loads(path.read_text(encoding="utf-8"))]


def korean_nli(path):
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return [Inferred(*line.split("\t")) for line in lines]


def klue_nli(path):
    return [Inferred(row["premise"], row["hypothesis"], row["gold_label"])
            for row in json.loads(path.read_text(encoding="utf-8"))]


def chatbot(path):
    """(question, answer) of each row."""
    with open(path, encoding="utf-8", newline="") as f:
        return [(row[0], row[1]) for row in list(csv.reader(f))[1:]]


def klue_headings(path):
    """The sentences of KLUE-DP and KLUE-NER, from the comment above each one's annotation."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [line.split("\t", 1)[1] for line in lines if line.startswith("## klue-")]
    return [re.sub(r"<([^<>]*):[A-Z]{2}>", r"\1", sentence) for sentence in found]


def letters(sentence):
    """What two sentences share that differ in spaces, punctuation and capitals only."""
    return "".join(c for c in sentence.lower() if c.isalnum())


def groups_of_pairs(pairs):
    """The pairs in groups, so that no sentence is in two of them."""
    parent = {}

    def root(key):
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    for pair in pairs:
        parent[root(letters(pair.first))] = root(letters(pair.second))
    groups = collections.defaultdict(list)
    for pair in pairs:
        groups[root(letters(pair.first))].append(pair)
    return list(groups.values())


def hold_out(pairs, count):
    """`count` or a few more of the pairs, and the others; no sentence is in both. Always the same."""
    groups = groups_of_pairs(pairs)
    held_out = []
    for i in np.random.RandomState(6).permutation(len(groups)):
        if len(held_out) < count and len(groups[i]) < 50:
            held_out += groups[i]
            groups[i] = []
    return held_out, [pair for group in groups for pair in group]


def read(directory):
    """Everything to train on, without any sentence of the evaluation sets or the held-out pairs."""
    directory = pathlib.Path(directory)
    held_out, scored = hold_out(korean_sts(directory / "kor-sts-train.tsv"), HELD_OUT)
    inferred = [klue_nli(directory / "klue-nli-v1.1_dev.json"),
                korean_nli(directory / "kor-xnli.dev.ko.tsv") + korean_nli(directory / "kor-xnli.test.ko.tsv")]
    conversation = chatbot(directory / "ChatbotData.csv")
    evaluated = (klue_sts(directory / "klue-sts-v1.1_dev.json") +
                 korean_sts(directory / "kor-sts-dev.tsv") + held_out)
    taboo = {letters(sentence) for pair in evaluated for sentence in pair[:2]}

    def allowed(*texts):
        return all(letters(text) not in taboo for text in texts)

    scored = [pair for pair in scored if allowed(*pair[:2])]
    inferred = [[pair for pair in pairs if allowed(*pair[:2])] for pairs in inferred]
    conversation = [pair for pair in conversation if allowed(*pair)]
    texts = [text for pair in scored + sum(inferred, []) for text in pair[:2]]
    texts += [text for pair in conversation for text in pair]
    texts += klue_headings(directory / "klue-dp-v1.1_dev.tsv")
    texts += klue_headings(directory / "klue-ner-v1.1_dev.tsv")
    sentences = list(dict.fromkeys(text for text in texts if allowed(text)))
    return Corpora(scored, inferred, sentences, held_out)
