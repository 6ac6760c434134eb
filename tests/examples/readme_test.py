"""Runs the commands of examples/README.md whose output it shows, and compares.

Usage: readme_test.py [--write]     in the root of the repository, the programs on the PATH

"…" in the README stands for any text within a line. A command without output below it is not run, nor
is one whose program is not there. --write puts into the README what the commands say.
"""
import pathlib
import re
import shutil
import subprocess
import sys

README = pathlib.Path("examples/README.md")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Commands that say nothing, start what does not end, or need what is not here.
NOT_RUN = ("cmake", "rustc", "LD_LIBRARY_PATH", "embeddings_server", "curl", "postgres", "entity_highlighter",
           "question_answering")


def commands_of(block):
    """[command, shown output] of a block, both as text."""
    commands = []
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append([line[2:], ""])
        else:
            commands[-1][1] += line + "\n"
    return commands


def run(command):
    done = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", check=False)
    if done.returncode != 0:
        sys.exit("%s: status %d: %s" % (command, done.returncode, done.stdout))
    return done.stdout.replace("\r", "")


def is_run(command):
    program = command.split()[0]
    return not program.startswith(NOT_RUN) and shutil.which(program) is not None


def matches(shown, said):
    return re.fullmatch(re.escape(shown).replace("…", "[^\n]*"), said) is not None


def main():
    write = sys.argv[1:] == ["--write"]
    text = README.read_text(encoding="utf-8")
    ran, wrong = 0, 0

    def block_again(found):
        nonlocal ran, wrong
        block = ""
        for command, shown in commands_of(found[1]):
            if is_run(command):
                said = run(command)
                ran += 1
                if not matches(shown, said):
                    if not write:
                        print("$ %s\nsays\n%sinstead of\n%s" % (command, said, shown))
                        wrong += 1
                    shown = said
            block += "$ %s\n%s" % (command, shown)
        return "```console\n%s```" % block

    written = BLOCK.sub(block_again, text)
    if write:
        README.write_text(written, encoding="utf-8")
    print("examples/README.md: %d commands run, %d say something else" % (ran, wrong))
    return 1 if wrong or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
