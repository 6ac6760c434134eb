"""tools/check_isa_symbols must find an object that would poison the others.

Usage: check_isa_symbols_test.py C++-COMPILER
"""
import json
import pathlib
import platform
import shlex
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).parents[2] / "tools" / "check_isa_symbols"
COMPILER = sys.argv.pop(1)


def check(source, flags="-mavx2", stem="avx2"):
    """Exit status and output of the check on a build of this one source."""
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory, stem + ".cpp")
        file.write_text(source, encoding="utf-8")
        command = [COMPILER, "-O0", *flags.split(), "-o", stem + ".o", "-c", str(file)]
        subprocess.run(command, cwd=directory, check=True)
        pathlib.Path(directory, "compile_commands.json").write_text(json.dumps([
            {"directory": directory, "command": shlex.join(command), "file": str(file)}]))
        run = subprocess.run([sys.executable, str(SCRIPT), directory], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, encoding="utf-8", check=False)
        return run.returncode, run.stdout


@unittest.skipUnless(platform.machine() == "x86_64", "the flags are those of x86-64")
class IsaSymbols(unittest.TestCase):
    def test_an_inline_function_is_found(self):
        status, output = check("inline int twice(int x) { return 2 * x; }\n"
                               "int f(int x) { return twice(x); }\n")
        self.assertEqual(status, 1, output)
        self.assertIn("avx2.cpp: twice(int) may replace", output)

    def test_a_template_instance_is_found(self):
        status, output = check("#include <algorithm>\n"
                               "int f(int a, int b) { return std::max(a, b); }\n")
        self.assertEqual(status, 1, output)
        self.assertIn("std::max", output)

    def test_a_unique_static_is_found(self):
        status, output = check("inline int* f() { static int x; return &x; }\n"
                               "int* g() { return f(); }\n")
        self.assertEqual(status, 1, output)

    def test_internal_linkage_is_fine(self):
        status, output = check("namespace { inline int twice(int x) { return 2 * x; } }\n"
                               "int f(int x) { return twice(x); }\n")
        self.assertEqual(status, 0, output)
        self.assertIn("1 objects, 0 complaints", output)

    def test_its_own_eigen_is_fine_and_only_its_own(self):
        source = ("namespace klue_eigen_avx2 { inline int twice(int x) { return 2 * x; } }\n"
                  "int f(int x) { return klue_eigen_avx2::twice(x); }\n")
        self.assertEqual(check(source)[0], 0)
        self.assertEqual(check(source, "-mavx512f", "avx512")[0], 1)

    def test_a_build_without_such_objects_is_a_mistake(self):
        for flags in ("-m64", "-mtune=native"):
            status, output = check("int x;\n", flags)
            self.assertEqual(status, 1, output)
            self.assertIn("wrong directory?", output)


if __name__ == "__main__":
    unittest.main()
