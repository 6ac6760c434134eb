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
        self.allowed("src/encoder/a.cpp", "<klue/linear/linear.hpp>")
        self.allowed("src/text/a.cpp", "<klue/core/error.hpp>")
        self.allowed("src/linear/a.cpp", "<klue/kernels/kernels.hpp>")
        self.allowed("include/klue/core/a.hpp", "<vector>")

    def test_includes_must_not_run_upward(self):
        self.refused("include/klue/core/a.hpp", "<klue/kernels/kernels.hpp>",
                     "core must not know kernels")
        self.refused("src/checkpoint/a.cpp", "<klue/encoder/config.hpp>",
                     "checkpoint must not know encoder")
        self.refused("src/encoder/a.cpp", "<klue/model.hpp>", "encoder must not know model")
        self.refused("src/text/a.cpp", '"model/model.hpp"', "text must not know model")

    def test_rooms_of_one_floor_do_not_know_each_other(self):
        self.refused("src/text/a.cpp", "<klue/encoder/config.hpp>", "text must not know encoder")
        self.refused("include/klue/encoder/a.hpp", "<klue/text/utf8.hpp>",
                     "encoder must not know text")
        self.refused("src/kernels/a.cpp", "<klue/linear/linear.hpp>", "kernels must not know linear")
        self.refused("src/checkpoint/a.cpp", "<klue/kernels/kernels.hpp>",
                     "checkpoint must not know kernels")

    def test_private_headers_stay_in_their_room(self):
        self.allowed("src/checkpoint/a.cpp", '"checkpoint/safetensors.hpp"')
        self.allowed("src/text/a.cpp", '"core/json_file.hpp"')
        self.refused("src/model/a.cpp", '"checkpoint/safetensors.hpp"',
                     "a private header of checkpoint")
        self.allowed("tools/embed/a.cpp", '"options.hpp"')
        self.refused("tools/embed/a.cpp", '"../../src/core/json_file.hpp"',
                     "tools use only the library's public headers")

    def test_public_headers_know_no_other_library(self):
        for include in ("<nlohmann/json.hpp>", "<Eigen/Core>", "<unicode/uchar.h>", "<unistd.h>",
                        "<oneapi/dnnl/dnnl.hpp>"):
            self.refused("include/klue/linear/a.hpp", include,
                         "public headers include only the standard library")
        self.refused("include/klue/core/a.hpp", '"error.hpp"', "public headers include each other")

    def test_matrix_libraries_stay_in_their_rooms(self):
        self.allowed("src/kernels/a.hpp", "<Eigen/Core>")
        self.allowed("src/linear/a.cpp", "<oneapi/dnnl/dnnl.hpp>")
        self.refused("src/encoder/a.cpp", "<Eigen/Core>", "this library is only for: kernels, linear")
        self.refused("src/kernels/a.cpp", "<dnnl.hpp>", "this library is only for: linear")

    def test_the_hub_stands_beside_the_model(self):
        self.allowed("tools/embed/a.cpp", "<klue/hub.hpp>")
        self.allowed("src/hub/a.cpp", "<klue/hub.hpp>")
        self.allowed("src/hub/a.cpp", '"core/json_file.hpp"')
        self.allowed("src/hub/a.cpp", "<curl/curl.h>")
        self.allowed("src/hub/a.cpp", "<openssl/evp.h>")
        self.refused("src/hub/a.cpp", "<klue/model.hpp>", "hub must not know model")
        self.refused("src/hub/a.cpp", "<klue/checkpoint/checkpoint.hpp>", "hub must not know checkpoint")
        self.refused("src/model/a.cpp", "<klue/hub.hpp>", "model must not know hub")
        self.refused("include/klue/klue.hpp", "<klue/hub.hpp>", "model must not know hub")
        self.refused("src/core/a.cpp", "<klue/hub.hpp>", "core must not know hub")
        self.refused("src/model/a.cpp", "<curl/curl.h>", "this library is only for: hub")
        self.refused("tools/embed/a.cpp", "<curl/curl.h>", "this library is only for: hub")
        self.refused("src/checkpoint/a.cpp", "<openssl/evp.h>", "this library is only for: hub")

    def test_every_file_has_a_room(self):
        for path in ("src/attic/a.cpp", "src/a.cpp", "include/klue/attic/a.hpp"):
            status, output = check({path: "\n"})
            self.assertEqual(status, 1, output)
            self.assertIn("%s: in no room of the house" % path, output)
        self.refused("src/model/a.cpp", "<klue/attic/a.hpp>", "in no room of the house")

    def test_an_indented_directive_is_one_too(self):
        status, output = check({"src/core/a.cpp": "  #  include <klue/model.hpp>\n"})
        self.assertEqual(status, 1, output)

    def test_an_empty_tree_is_a_mistake(self):
        self.assertEqual(check({})[0], 1)


if __name__ == "__main__":
    unittest.main()
