#!/usr/bin/env python3
"""Holds the documents to what they speak of.

Usage: documents_test.py REPOSITORY COMPILER

The Korean README has the code of the English one; the blocks of the cookbook are those of its test;
other C++ compiles; links lead somewhere; what docs/performance.md runs exists and knows its options;
the tests that docs/models.md names are there.
"""
import pathlib
import re
import subprocess
import sys
import textwrap

repository, compiler = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
failed = []


def check(condition, message):
    if not condition:
        failed.append(message)


def read(path):
    return (repository / path).read_text(encoding="utf-8")


def blocks(text, language=r"\w+"):
    """Code blocks as (language, code), also those in a list, without its indentation."""
    return [(name, textwrap.dedent(code)) for _, name, code in
            re.findall(r"^( *)```(%s)\n(.*?)^\1```$" % language, text, re.M | re.S)]


def tracked(pattern):
    listed = subprocess.run(["git", "-C", repository, "ls-files", "--cached", "--others", "--exclude-standard",
                             pattern], stdout=subprocess.PIPE, text=True, check=False)
    return [line for line in listed.stdout.split("\n") if line and (repository / line).exists()]


def same_code(one, other):
    ours, theirs = blocks(read(one)), blocks(read(other))
    check(len(ours) > 10, "%s: only %d blocks" % (one, len(ours)))
    for a, b in zip(ours, theirs):
        check(a == b, "%s and %s differ:\n%s\n%s" % (one, other, a[1], b[1]))
    check(len(ours) == len(theirs), "%s has %d blocks of code, %s %d" % (one, len(ours), other, len(theirs)))
    # Tables of numbers and names of files are not translated either.
    for pattern in (r"\]\(((?!README)[^)#]+)[^)]*\)", r"(?<![\w.])\d+\.?\d+(?= \|)"):
        check(sorted(set(re.findall(pattern, read(one)))) == sorted(set(re.findall(pattern, read(other)))),
              "%s and %s differ in %s" % (one, other, pattern))


def cookbook():
    parts = read("tests/docs/cookbook_test.cpp").split("  // cookbook\n")[1::2]
    wanted = [textwrap.dedent(part) for part in parts]
    found = [code for _, code in blocks(read("docs/cookbook.md"), "cpp")]
    for code in found:
        check(code in wanted, "docs/cookbook.md: not in its test:\n" + code)
    for code in wanted:
        check(code in found, "docs/cookbook.md: a block of its test is missing:\n" + code)
    check(len(wanted) > 5, "the blocks of the cookbook's test were not found")


PRELUDE = """
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>
#include <klue/klue.hpp>
extern const klue::Model model_of_the_page;
extern const std::vector<std::string> sentences, first, second, documents;
extern const std::string article;
"""


def compiles():
    """All blocks as one file: those that are no program, each in a function where they find their names."""
    pages = [page for page in tracked("*.md") if page not in ("docs/cookbook.md", "README.ko.md")]
    includes, bodies = [], []
    for page in pages:
        for _, code in blocks(read(page), "cpp"):
            includes += re.findall(r"^#include .*$", code, re.M)
            body = re.sub(r"^#include .*\n", "", code, flags=re.M)
            name = re.sub(r"\W", "_", page) + str(len(bodies))
            if "int main()" in body:
                bodies.append(body.replace("int main()", "int %s()" % name))
                continue
            needs = "" if re.search(r"\bauto model\b", body) else "const auto& model = model_of_the_page;"
            batch = "std::span<const klue::train::Example* const> batch;" if "batch)" in body else ""
            bodies.append("void %s() {\n%s\n%s\n%s}\n" % (name, needs, batch, body))
    check(len(bodies) >= 5, "only %d blocks of C++ were found" % len(bodies))
    source = "\n".join(includes) + PRELUDE + "\n".join(bodies)
    result = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-w", "-I", repository / "include", "-x", "c++",
                             "-"], input=source, stderr=subprocess.PIPE, text=True, check=False)
    check(result.returncode == 0, "C++ of the documents does not compile:\n" + result.stderr)


def links():
    count = 0
    for page in tracked("*.md"):
        text = re.sub(r"^( *)```.*?^\1```$", "", read(page), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target) or target.startswith("#"):
                continue
            count += 1
            path = (repository / page).parent / target.split("#")[0]
            check(path.exists(), "%s: no %s" % (page, target))
    check(count > 40, "only %d links were found" % count)


def commands():
    """docs/performance.md: programs that are built, scripts that are there, options that they know."""
    cmake = "\n".join(read(p) for p in tracked("*CMakeLists.txt"))
    sources = {p: read(p) for p in tracked("benchmarks/*") + tracked("tools/*") if not p.endswith(".safetensors")}
    found = 0
    for _, code in blocks(read("docs/performance.md"), "console"):
        for line in re.findall(r"^\$ (.*)$", code, re.M):
            words = [word for word in line.split() if word not in ("node",)]
            program = words[0]
            if program == "cmake":
                for option in re.findall(r"-D(KLUE_\w+)", line):
                    check(option in read("CMakeLists.txt"), "no option " + option)
                continue
            name = program.split("/")[-1]
            found += 1
            if program.startswith("build/"):
                built = re.search(r"(?:klue_add_program|add_executable)\(%s\b" % name, cmake)
                check(built, "docs/performance.md: nothing builds " + program)
                texts = [text for path, text in sources.items() if name.split("_")[0] in path]
            else:
                check((repository / program).exists(), "docs/performance.md: no " + program)
                texts = [read(program)]
            for option in re.findall(r"(--[a-z-]+)", line):
                check(any(option in text or option[2:] + '"' in text or "'%s'" % option[2:] in text for text in texts),
                      "docs/performance.md: %s does not know %s" % (program, option))
    check(found > 8, "the commands of docs/performance.md were not found")


def proofs():
    """docs/models.md names the tests that hold what it says."""
    code = "\n".join(read(p) for p in tracked("tests/*_test.cpp"))
    named = re.findall(r"`([A-Z]\w+)\.([A-Z]\w+)`", read("docs/models.md"))
    for suite, name in named:
        check(re.search(r"TEST(_F|_P)?\(%s,\s+%s\)" % (suite, name), code),
              "docs/models.md: no test %s.%s" % (suite, name))
    check(len(named) > 12, "docs/models.md names only %d tests" % len(named))


def versions():
    version = re.search(r'KLUE_VERSION_STRING "(.*)"', read("include/klue/version.hpp"))[1]
    readme, runner = read("README.md"), read("tests/install_consumer/run")
    check("GIT_TAG v%s)" % version in readme, "README.md pins another version than " + version)
    check("\n## %s" % version in read("CHANGELOG.md"), "CHANGELOG.md says nothing of " + version)
    # The lines that install_consumer runs are those that a reader sees.
    check("g++ -std=c++20 -O2 -I include app.cpp -licuuc -o app\n" in readme and
          "-std=c++20 -O2 -Wall -Wextra -Werror -I include app.cpp -licuuc -o" in runner,
          "the header-only line of README.md is not what install_consumer runs")
    check("-lklue_roberta -licuuc -lsnappy -lz -ldnnl -lgomp -lpthread" in readme, "README.md has no line for the linker")


same_code("README.md", "README.ko.md")
cookbook()
compiles()
links()
commands()
proofs()
versions()
print("\n".join(failed) or "documents: passed")
sys.exit(bool(failed))
