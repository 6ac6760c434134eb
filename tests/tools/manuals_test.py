#!/usr/bin/env python3
"""Every option of a command is in its manual page and in its completions, with every choice it has, and the
manual page knows no other.

Usage: manuals_test.py REPOSITORY COMMAND...
"""
import pathlib
import re
import shutil
import subprocess
import sys

repository = pathlib.Path(sys.argv[1])
failed = []
for command in map(pathlib.Path, sys.argv[2:]):
    name = command.name
    folder = repository / "tools" / name
    help_text = subprocess.run([command, "--help"], check=True, stdout=subprocess.PIPE, text=True,
                               encoding="utf-8").stdout
    flags = dict(re.findall(r"^ +(?:-h,)?(--[a-z-]+)(?: ([a-z_0-9|-]+\|[a-z_0-9|-]+))?", help_text, re.M))
    assert len(flags) > 10, (name, flags)
    man = (folder / "man" / (name + ".1")).read_text(encoding="utf-8").replace("\\-", "-")
    texts = {"man": man}
    for file in (name + ".bash", "_" + name):
        texts[file] = (folder / "completions" / file).read_text(encoding="utf-8")
    for flag, choices in flags.items():
        for where, text in texts.items():
            if not re.search(re.escape(flag) + r"(?![a-z-])", text):
                failed.append("%s: %s is not in %s" % (name, flag, where))
        for choice in choices.split("|"):
            for where, text in texts.items():
                if choice and not re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(choice), text):
                    failed.append("%s: %s %s is not in %s" % (name, flag, choice, where))
    unknown = set(re.findall(r"(?<![\w-])--[a-z-]+", man)) - set(flags)
    if unknown:
        failed.append("%s: the manual page has %s" % (name, sorted(unknown)))
    if shutil.which("man"):
        warnings = subprocess.run(["man", "--warnings", "--local-file", folder / "man" / (name + ".1")], check=False,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
        if warnings:
            failed.append("%s: man says %s" % (name, warnings))
print("\n".join(failed) or "manuals: passed")
sys.exit(bool(failed))
