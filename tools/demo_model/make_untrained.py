#!/usr/bin/env python3
"""Makes models/demo: a small RoBERTa with pseudo-random weights, the same bits on every machine.

    tools/demo_model/make_untrained.py models/demo

Its vocabulary is what any Korean text can be spelled with: ASCII and the 2,350 syllables of
KS X 1001, each at the beginning and inside a word, so that few words become [UNK].
"""
import os
import subprocess
import sys
import tempfile

SPECIALS = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]


def vocabulary():
    ascii_printable = [chr(c) for c in range(33, 127)]
    # EUC-KR has two bytes for exactly the syllables of KS X 1001.
    syllables = [chr(c) for c in range(0xAC00, 0xD7A4) if len(chr(c).encode("euc_kr")) == 2]
    inside = [c for c in ascii_printable if c.isalnum()] + syllables
    return SPECIALS + ascii_printable + syllables + ["##" + c for c in inside]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make_model = os.path.join(os.path.dirname(__file__), "../../tests/fixtures/make_model.py")
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as vocab:
        vocab.write("\n".join(vocabulary()) + "\n")
        vocab.flush()
        subprocess.run([sys.executable, make_model, sys.argv[1], "--preset", "tiny", "--head", "none",
                        "--no-pooler", "--dtype", "bf16", "--vocab", vocab.name], check=True)


if __name__ == "__main__":
    main()
