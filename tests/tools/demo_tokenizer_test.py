#!/usr/bin/env python3
"""Checks that the demo model was trained on the tokens that the library gives it.

Usage: demo_tokenizer_test.py EMBED CORPORA    the built command; a folder, which may be missing
"""
import json
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tools" / "demo_model"))
import wordpiece  # noqa: E402

ODD_LINES = ["", " ", "첫 번째 문장", "두  번째\t문장.", "“따옴표”—그리고…줄표", "漢字와 한글", "ﾊﾝｶｸ",
             "ㅋㅋㅋ ㅠㅠ", "뷁쉙 쀍", "a\u200bb\u00adc", "e\u0301 \u3000 Ⅳ", "₩1,000~2,000(원)",
             "e-mail@example.com", "가" * 120, "😀 웃음", "$^`|+<>=", "\u1112\u1161\u11ab"]


def lines_of(folder):
    """All lines of the corpora without what a line cannot hold."""
    lines = [line for path in sorted(folder.glob("*")) if path.suffix in (".tsv", ".csv")
             and "-ner-" not in path.name for line in path.read_text(encoding="utf-8").split("\n")]
    return [line.replace("\r", "") for line in dict.fromkeys(lines)]


def main():
    embed, corpora = sys.argv[1], pathlib.Path(sys.argv[2])
    lines = ODD_LINES + (lines_of(corpora) if corpora.is_dir() else [])
    model = SOURCE / "models" / "demo"
    pieces = (model / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    tokenizer = wordpiece.Tokenizer(pieces)
    run = subprocess.run([embed, "--model", model, "--tokenize", "--input", "-"], check=True,
                         input="\n".join(lines) + "\n", encoding="utf-8", stdout=subprocess.PIPE)
    found = [json.loads(line)["ids"] for line in run.stdout.splitlines()]
    assert len(found) == len(lines), (len(found), len(lines))
    expected = [tokenizer(line, most=1 << 20) for line in lines]  # --tokenize cuts nothing
    wrong = [row for row in zip(lines, found, expected) if row[1] != row[2]]
    for row in wrong[:10]:
        print("%r: embed gives %s, wordpiece.py %s" % row)
    print("%d lines, %d differ" % (len(lines), len(wrong)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
