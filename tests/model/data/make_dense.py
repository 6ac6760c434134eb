#!/usr/bin/env python3
"""Writes dense.bin: the state dict of a Dense layer as sentence-transformers saves it.

Run once with PyTorch installed; the result is committed. The numbers are those of DenseLayer in
sentence_transformers_test.cpp, 32 → 4.
"""
import pathlib

import torch

weight = [[(row * 7 + column * 3) % 11 / 16 - 0.25 for column in range(32)] for row in range(4)]
bias = [row / 8 for row in range(4)]
torch.save({"linear.weight": torch.tensor(weight), "linear.bias": torch.tensor(bias)},
           pathlib.Path(__file__).parent / "dense.bin")
