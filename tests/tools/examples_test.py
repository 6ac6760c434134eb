#!/usr/bin/env python3
"""Runs every example of embed: of --help, the man page, README.md and docs/scale-out.md.

Usage: examples_test.py EMBED REPOSITORY

The commands run as they stand, in a folder that holds the files they name; where they name a model,
a folder of that name leads to the demo model. What needs a program that is not installed is left out
and named.
"""
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SENTENCES = ["첫 번째 문장", "두 번째 문장", "배가 고프다", "밥을 먹고 싶다", "가까운 뜻", "가까운 의미",
             "아이가 마당에서 공을 차고 있다", "중앙은행이 기준금리를 동결했다"] * 5


def console_commands(markdown):
    """Lines behind "$ " in the console blocks of a document, block by block."""
    for block in re.findall(r"```console\n(.*?)```", markdown, re.S):
        lines = re.sub(r"\\\n\s*", "", block).splitlines()
        commands = [line[2:] for line in lines if line.startswith("$ ")]
        if any(re.search(r"\bembed\b", line) for line in commands):
            yield "\n".join(commands)


def help_commands(text):
    lines = text.split("Examples:\n", 1)[1].splitlines()
    return [line.strip() for line in lines if line.strip().startswith("embed ")]


def man_commands(text):
    block = re.search(r"\.SH EXAMPLES\n\.EX\n(.*?)\.EE", text, re.S)[1]
    return [line.replace("\\-", "-") for line in block.splitlines()]


def prepare(folder, embed, repository):
    (folder / "sentences.txt").write_text("\n".join(SENTENCES) + "\n", encoding="utf-8")
    rows = "".join("%d,\"%s\"\n" % row for row in enumerate(SENTENCES, 1))
    (folder / "crm.csv").write_bytes(("번호,내용\n" + rows).encode("cp949"))
    with gzip.open(folder / "corpus.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in SENTENCES)
    subprocess.run([embed, "--quiet", "--input", "sentences.txt", "--format", "npy", "--out",
                    "vectors.npy"], cwd=folder, check=True)
    (folder / "klue").mkdir()
    for name in ("klue-roberta-base", "klue/roberta-base", "klue/roberta-base@main"):
        (folder / name).symlink_to(repository / "models" / "demo")
    (folder / "bin").mkdir()
    (folder / "bin" / "embed").symlink_to(embed)


def run(command, where, embed, repository):
    needed = [word for word in ("parallel", "sbatch") if re.search(r"\b%s\b" % word, command)]
    missing = [word for word in needed if shutil.which(word) is None]
    shell = ["bash", "-euc", command]
    if "sbatch" in needed and not missing and subprocess.run(
            ["sinfo"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
        path = os.environ["PATH"] + ":/usr/sbin"
        if os.geteuid() == 0 and all(shutil.which(d, path=path) for d in ("slurmctld", "slurmd", "munged")):
            shell.insert(0, str(repository / "tests" / "tools" / "with_slurm"))
        else:
            missing.append("a running Slurm, nor the rights to run one")
    if missing:
        print("left out, no %s: %s" % (", ".join(missing), command.splitlines()[0]))
        return True
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        prepare(folder, embed, repository)
        script = re.search(r"```bash\n(#!/bin/bash\n#SBATCH.*?)```",
                           (repository / "docs" / "scale-out.md").read_text(encoding="utf-8"), re.S)
        (folder / "embed.sbatch").write_text(script[1], encoding="utf-8")
        before = (folder / "vectors.npy").read_bytes()
        environment = dict(os.environ, PATH="%s:%s:/usr/sbin" % (folder / "bin", os.environ["PATH"]))
        result = subprocess.run(shell, cwd=folder, env=environment, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                encoding="utf-8", timeout=300)
        if result.returncode == 77 and shell[0].endswith("with_slurm"):
            print("left out, no Slurm can run here: %s\n%s" % (command.splitlines()[0], result.stdout))
            return True
        same = (folder / "vectors.npy").read_bytes() == before
        if result.returncode != 0 or not same:
            print("FAILED (%s, %d):\n%s\n%s" % (where, result.returncode, command, result.stdout))
            if not same:
                print("vectors.npy is not that of one run")
            return False
        print("ok (%s): %s" % (where, command.splitlines()[0]))
        return True


def main():
    embed, repository = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    help_text = subprocess.run([embed, "--help"], check=True, stdout=subprocess.PIPE, text=True,
                               encoding="utf-8").stdout
    man = (repository / "tools/embed/man/embed.1").read_text(encoding="utf-8")
    examples = [(command, "--help") for command in help_commands(help_text)]
    examples += [(command, "man") for command in man_commands(man)]
    for document in ("README.md", "docs/scale-out.md"):
        text = (repository / document).read_text(encoding="utf-8")
        examples += [(command, document) for command in console_commands(text)]
    assert len(examples) > 15, examples

    failed = [example for example in examples if not run(*example, embed, repository)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
