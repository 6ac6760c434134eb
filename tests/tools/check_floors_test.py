"""tools/check_floors must find what it is there to find, and let through what is allowed."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).parents[2] / "tools" / "check_floors"


def check(files):
    """Exit status and output of the check on a tree of {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        run = subprocess.run([sys.executable, str(SCRIPT), root], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, encoding="utf-8", check=False)
        return run.returncode, run.stdout


class Floors(unittest.TestCase):
    def refused(self, path, include, reason):
        status, output = check({path: "#pragma once\n\n#include %s\n" % include})
        self.assertEqual(status, 1, output)
        self.assertIn("%s:3: includes %s: %s" % (path, include, reason), output)

    def allowed(self, path, include):
        status, output = check({path: "#include %s\n" % include})
        self.assertEqual(status, 0, output)

    def test_includes_run_downward(self):
        self.allowed("tools/embed/main.cpp", "<klue/klue.hpp>")
        self.allowed("include/klue/model.hpp", "<klue/text/preprocessor.hpp>")
        self.allowed("include/klue/encoder/impl/a.ipp", "<klue/linear/detail/linear.hpp>")
        self.allowed("include/klue/text/impl/a.ipp", "<klue/core/error.hpp>")
        self.allowed("include/klue/linear/impl/a.ipp", "<klue/kernels/detail/kernels.hpp>")
        self.allowed("include/klue/task/impl/a.ipp", "<klue/search.hpp>")
        self.allowed("include/klue/core/a.hpp", "<vector>")

    def test_includes_must_not_run_upward(self):
        self.refused("include/klue/core/a.hpp", "<klue/kernels/kernels.hpp>",
                     "core must not know kernels")
        self.refused("include/klue/checkpoint/impl/a.ipp", "<klue/encoder/config.hpp>",
                     "checkpoint must not know encoder")
        self.refused("include/klue/encoder/impl/a.ipp", "<klue/model.hpp>",
                     "encoder must not know model")
        self.refused("include/klue/text/impl/a.ipp", "<klue/model/detail/a.hpp>",
                     "text must not know model")
        self.refused("include/klue/model/impl/a.ipp", "<klue/task/tag.hpp>",
                     "model must not know task")

    def test_the_api_for_c_stands_on_the_rooms(self):
        self.allowed("include/klue/klue.h", "<stddef.h>")
        self.allowed("include/klue/klue.h", "<klue/version.hpp>")
        self.allowed("include/klue/c/impl/a.ipp", "<klue/task.hpp>")
        self.allowed("include/klue/hub/impl/a.ipp", "<klue/klue.h>")
        self.allowed("include/klue/klue_hub.h", "<klue/klue.h>")
        self.refused("include/klue/klue.h", "<unistd.h>", "API headers include only the standard")
        self.refused("include/klue/core/a.hpp", "<stddef.h>", "API headers include only the standard")
        self.refused("include/klue/c/impl/a.ipp", "<klue/train.hpp>", "c must not know train")
        self.refused("include/klue/c/impl/a.ipp", "<klue/hub.hpp>", "c must not know hub")
        self.refused("include/klue/task/impl/a.ipp", "<klue/klue.h>", "task must not know c")

    def test_examples_use_the_api_and_any_library(self):
        self.allowed("examples/a/a.cpp", "<klue/klue.hpp>")
        self.allowed("examples/a/a.cpp", "<Eigen/Dense>")
        self.refused("examples/a/a.cpp", "<klue/core/detail/json.hpp>",
                     "tools use only the library's API")

    def test_rooms_of_one_floor_do_not_know_each_other(self):
        self.refused("include/klue/text/impl/a.ipp", "<klue/encoder/config.hpp>",
                     "text must not know encoder")
        self.refused("include/klue/encoder/a.hpp", "<klue/text/offset.hpp>",
                     "encoder must not know text")
        self.refused("include/klue/kernels/impl/a.ipp", "<klue/linear/engine.hpp>",
                     "kernels must not know linear")
        self.refused("include/klue/checkpoint/impl/a.ipp", "<klue/kernels/detail/a.hpp>",
                     "checkpoint must not know kernels")
        self.refused("include/klue/task/impl/a.ipp", "<klue/train/trainer.hpp>",
                     "task must not know train")

    def test_private_headers_stay_in_the_library(self):
        self.allowed("include/klue/model/impl/a.ipp", "<klue/checkpoint/detail/safetensors.hpp>")
        self.allowed("include/klue/text/detail/a.hpp", "<klue/core/detail/json.hpp>")
        self.refused("include/klue/text/a.hpp", "<klue/text/detail/wordpiece.hpp>",
                     "API headers include no private ones")
        self.refused("tools/embed/a.cpp", "<klue/core/detail/json.hpp>",
                     "tools use only the library's API")
        self.allowed("tools/embed/a.cpp", '"options.hpp"')
        self.refused("tools/embed/a.cpp", '"../../include/klue/core/error.hpp"',
                     "headers of the library are included as <klue/…>")

    def test_definitions_are_included_once(self):
        self.allowed("include/klue/text/src.hpp", "<klue/text/impl/tokenizer.ipp>")
        self.allowed("include/klue/src.hpp", "<klue/text/src.hpp>")
        self.refused("include/klue/text/tokenizer.hpp", "<klue/text/impl/tokenizer.ipp>",
                     "definitions are included by the src.hpp of their room alone")
        self.refused("include/klue/model/src.hpp", "<klue/text/impl/tokenizer.ipp>",
                     "definitions are included by the src.hpp of their room alone")
        self.refused("include/klue/model.hpp", "<klue/text/src.hpp>",
                     "only src/ROOM.cpp and klue/src.hpp include it")
        self.refused("tools/embed/main.cpp", "<klue/src.hpp>",
                     "only src/ROOM.cpp and klue/src.hpp include it")

    def test_a_source_is_one_line(self):
        self.allowed("src/text.cpp", "<klue/text/src.hpp>")
        status, output = check({"src/text.cpp": "#include <klue/text/src.hpp>\nint more;\n"})
        self.assertEqual(status, 1, output)
        self.assertIn("src/text.cpp: must be the one line #include <klue/text/src.hpp>", output)

    def test_api_headers_know_no_other_library(self):
        for include in ("<nlohmann/json.hpp>", "<Eigen/Core>", "<unicode/uchar.h>", "<unistd.h>",
                        "<oneapi/dnnl/dnnl.hpp>"):
            self.refused("include/klue/linear/a.hpp", include,
                         "API headers include only the standard library")
        self.refused("include/klue/core/a.hpp", '"error.hpp"',
                     "headers of the library are included as <klue/…>")

    def test_matrix_libraries_stay_in_their_rooms(self):
        self.allowed("include/klue/linear/detail/a.hpp", "<Eigen/Core>")
        self.allowed("include/klue/linear/impl/a.ipp", "<oneapi/dnnl/dnnl.hpp>")
        self.allowed("include/klue/train/impl/a.ipp", "<eigen3/Eigen/Core>")
        self.refused("include/klue/encoder/impl/a.ipp", "<Eigen/Core>",
                     "this library is only for: linear, train")
        self.refused("include/klue/kernels/impl/a.ipp", "<dnnl.hpp>", "this library is only for: linear")

    def test_the_hub_stands_beside_the_model(self):
        self.allowed("tools/embed/a.cpp", "<klue/hub.hpp>")
        self.allowed("include/klue/hub/impl/a.ipp", "<klue/hub.hpp>")
        self.allowed("include/klue/hub/impl/a.ipp", "<klue/core/detail/json.hpp>")
        self.allowed("include/klue/hub/impl/a.ipp", "<curl/curl.h>")
        self.allowed("include/klue/hub/impl/a.ipp", "<openssl/evp.h>")
        self.refused("include/klue/hub/impl/a.ipp", "<klue/model.hpp>", "hub must not know model")
        self.refused("include/klue/hub/impl/a.ipp", "<klue/checkpoint/checkpoint.hpp>",
                     "hub must not know checkpoint")
        self.refused("include/klue/model/impl/a.ipp", "<klue/hub.hpp>", "model must not know hub")
        self.refused("include/klue/klue.hpp", "<klue/hub.hpp>", "task must not know hub")
        self.refused("include/klue/core/impl/a.ipp", "<klue/hub.hpp>", "core must not know hub")
        self.refused("include/klue/model/impl/a.ipp", "<curl/curl.h>", "this library is only for: hub")
        self.refused("tools/embed/a.cpp", "<curl/curl.h>", "this library is only for: hub")
        self.refused("include/klue/checkpoint/impl/a.ipp", "<openssl/evp.h>",
                     "this library is only for: hub")

    def test_every_file_has_a_room(self):
        for path in ("src/attic/a.cpp", "src/a.cpp", "src/text/a.cpp", "include/klue/attic/a.hpp"):
            status, output = check({path: "\n"})
            self.assertEqual(status, 1, output)
            self.assertIn("%s: in no room of the house" % path, output)
        self.refused("include/klue/model/impl/a.ipp", "<klue/attic/a.hpp>", "in no room of the house")

    def test_the_architecture_page_shows_the_floors(self):
        status, output = check({"src/text.cpp": "#include <klue/text/src.hpp>\n",
                                "docs/architecture.md": "# The house\n"})
        self.assertEqual(status, 1, output)
        self.assertIn("does not show the floors", output)

    def test_an_indented_directive_is_one_too(self):
        status, output = check({"include/klue/core/impl/a.ipp": "  #  include <klue/model.hpp>\n"})
        self.assertEqual(status, 1, output)

    def test_an_empty_tree_is_a_mistake(self):
        self.assertEqual(check({})[0], 1)


if __name__ == "__main__":
    unittest.main()
