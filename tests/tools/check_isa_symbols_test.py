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

WIDE = '[[gnu::target("avx2")]] '
# Adds eight floats, which takes AVX, without a parameter or result that would need it.
SUM = ("typedef float Eight __attribute__((vector_size(32), aligned(4)));\n"
       "typedef Eight* Pointer;\n")
ADDS = "(Pointer to) { *to = *to + *to; }\n"


def check(source, flags="", build=True):
    """Exit status and output of the check on a build of this one source."""
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory, "some.cpp")
        file.write_text(SUM + source, encoding="utf-8")
        command = [COMPILER, "-std=c++20", "-O0", *flags.split(), "-o", "some.o", "-c", str(file)]
        if build:
            subprocess.run(command, cwd=directory, check=True)
        pathlib.Path(directory, "compile_commands.json").write_text(json.dumps([
            {"directory": directory, "command": shlex.join(command), "file": str(file)}]))
        run = subprocess.run([sys.executable, str(SCRIPT), directory], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, encoding="utf-8", check=False)
        return run.returncode, run.stdout


@unittest.skipUnless(platform.machine() == "x86_64", "the flags are those of x86-64")
class IsaSymbols(unittest.TestCase):
    def test_an_inline_function_is_found(self):
        status, output = check(WIDE + "inline void twice" + ADDS +
                               WIDE + "void f(Pointer p) { twice(p); }\n")
        self.assertEqual(status, 1, output)
        self.assertIn("some.cpp: twice(float __vector(8)*) may replace", output)

    def test_a_template_instance_is_found(self):
        status, output = check("template <class T> " + WIDE + "void twice(T to) { *to = *to + *to; }\n"
                               "template void twice(Pointer);\n")
        self.assertEqual(status, 1, output)
        self.assertIn("twice<", output)

    def test_a_plain_function_is_found(self):
        status, output = check(WIDE + "void twice" + ADDS)
        self.assertEqual(status, 1, output)

    def test_a_function_without_vectors_is_found(self):
        status, output = check('[[gnu::target("bmi2,popcnt")]] int bits(unsigned x) '
                               "{ return __builtin_popcount(x); }\n")
        self.assertEqual(status, 1, output)
        self.assertIn("bits(unsigned int)", output)

    def test_internal_linkage_is_fine(self):
        status, output = check("namespace { " + WIDE + "void twice" + ADDS + "}\n"
                               "using Function = void (*)(Pointer);\n"
                               "Function f() { return twice; }\n")
        self.assertEqual(status, 0, output)
        self.assertIn("1 objects, 1 functions of wider instruction sets, 0 complaints", output)

    def test_its_own_namespace_is_fine_and_only_its_own(self):
        for namespace, wanted in (("klue::kernels::avx2", 0), ("klue::kernels::avx512_vnni", 0),
                                  ("klue::kernels", 1), ("klue::kernels::baseline", 1),
                                  ("klue::avx2", 1)):
            status, output = check("namespace " + namespace + " { " + WIDE + "void twice" + ADDS + "}\n")
            self.assertEqual(status, wanted, namespace + ": " + output)

    def test_a_flag_is_found(self):
        for flag in ("-mavx2", "-mfma", "-march=native", "-march=x86-64-v3"):
            status, output = check("int x;\n", flag)
            self.assertEqual(status, 1, output)
            self.assertIn("some.cpp: is compiled with " + flag, output)

    def test_other_flags_are_fine(self):
        for flag in ("-m64", "-mtune=native", "-march=x86-64"):
            self.assertNotIn("is compiled with", check("int x;\n", flag)[1])

    def test_a_build_without_such_functions_is_a_mistake(self):
        for build in (True, False):
            status, output = check("int x;\n", build=build)
            self.assertEqual(status, 1, output)
            self.assertIn("wrong directory?", output)


if __name__ == "__main__":
    unittest.main()
