#!/usr/bin/env python3
"""One training step of RobertaForSequenceClassification in PyTorch: forward, backward, AdamW.

    torch_step.py [--threads N] [--shapes 16x32,8x128] [--lengths FILE] [--batch N] [--dropout X] [--steps N]

The base shape with random weights, written in plain PyTorch as transformers has it. Batches of real
lengths are padded to the longest, as transformers pads them. Prints a JSON line a shape. Leave
OPENBLAS_CORETYPE unset, and have libopenblas0-openmp.
"""
import argparse
import json
import math
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional

HIDDEN, LAYERS, HEADS, INTERMEDIATE, VOCABULARY, POSITIONS = 768, 12, 12, 3072, 32000, 514


class Layer(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(HIDDEN, HIDDEN) for _ in range(3))
        self.attention_out = nn.Linear(HIDDEN, HIDDEN)
        self.attention_norm = nn.LayerNorm(HIDDEN, eps=1e-5)
        self.inner, self.outer = nn.Linear(HIDDEN, INTERMEDIATE), nn.Linear(INTERMEDIATE, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-5)
        self.drop = nn.Dropout(dropout)

    def forward(self, x, mask):
        def heads(y):
            return y.view(y.shape[0], y.shape[1], HEADS, HIDDEN // HEADS).transpose(1, 2)

        q, k, v = heads(self.query(x)), heads(self.key(x)), heads(self.value(x))
        scores = q @ k.transpose(-1, -2) / math.sqrt(HIDDEN // HEADS)
        if mask is not None:
            scores = scores + mask
        context = self.drop(scores.softmax(-1)) @ v
        context = context.transpose(1, 2).reshape(x.shape)
        x = self.attention_norm(self.drop(self.attention_out(context)) + x)
        return self.norm(self.drop(self.outer(functional.gelu(self.inner(x)))) + x)


class Model(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, HIDDEN, padding_idx=1)
        self.positions = nn.Embedding(POSITIONS, HIDDEN, padding_idx=1)
        self.types = nn.Embedding(1, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-5)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(LAYERS))
        self.dense, self.out = nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, 3)
        self.drop = nn.Dropout(dropout)

    def forward(self, ids, padded):
        real = (ids != 1).long()
        x = self.words(ids) + self.types(torch.zeros_like(ids)) + self.positions(real.cumsum(1) * real + 1)
        x = self.drop(self.norm(x))
        mask = (1.0 - real[:, None, None, :].float()) * -1e9 if padded else None
        for layer in self.layers:
            x = layer(x, mask)
        return self.out(self.drop(torch.tanh(self.dense(self.drop(x[:, 0])))))


class Steps:
    def __init__(self, dropout):
        torch.manual_seed(1)
        self.model = Model(dropout)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-5, weight_decay=0.01)

    def __call__(self, ids, padded=False):
        loss = functional.cross_entropy(self.model(ids, padded), torch.randint(3, (ids.shape[0],)))
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--shapes", default="16x32,8x128")
    ap.add_argument("--lengths")
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--dropout", type=float, default=0.1)
    ap.add_argument("--steps", type=int, default=4)
    arg = ap.parse_args()
    torch.set_num_threads(arg.threads)
    step = Steps(arg.dropout)

    def report(case, rate):
        print(json.dumps({"case": case, "threads": arg.threads, "tokens_per_s": round(rate, 1), "peak_mib":
                          resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}), flush=True)

    for shape in filter(None, arg.shapes.split(",")):
        rows, tokens = map(int, shape.split("x"))
        ids = torch.randint(5, VOCABULARY, (rows, tokens))
        step(ids)
        rates = []
        for _ in range(arg.steps):
            begin = time.perf_counter()
            step(ids)
            rates.append(rows * tokens / (time.perf_counter() - begin))
        report(shape, statistics.median(rates))
    if arg.lengths:
        lengths = [int(line) for line in open(arg.lengths)]
        begin = time.perf_counter()
        for first in range(0, len(lengths), arg.batch):
            part = lengths[first:first + arg.batch]
            ids = torch.full((len(part), max(part)), 1)
            for row, length in enumerate(part):
                ids[row, :length] = torch.randint(5, VOCABULARY, (length,))
            step(ids, padded=True)
        report("lengths", sum(lengths) / (time.perf_counter() - begin))


main()
