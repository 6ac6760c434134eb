"""third_party/eigen.cmake must accept Eigen 3.4 and 5, and refuse what is older or newer.

Usage: eigen_version_test.py CMAKE
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
CMAKE = sys.argv.pop(1)

# A package as Eigen's own build makes it: compatible with requests for the same major version.
SCRIPT = """
include(CMakePackageConfigHelpers)
set(Eigen3_DIR ${CMAKE_CURRENT_LIST_DIR}/stub)
file(WRITE ${Eigen3_DIR}/Eigen3Config.cmake "set(stub_was_read YES)")
write_basic_package_version_file(${Eigen3_DIR}/Eigen3ConfigVersion.cmake
  VERSION %s COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
include(%s)
message(STATUS "stub: ${stub_was_read}, version ${Eigen3_VERSION}")
"""


def find(version):
    """Exit status and output of the search where that version is installed."""
    with tempfile.TemporaryDirectory() as directory:
        script = pathlib.Path(directory, "find.cmake")
        script.write_text(SCRIPT % (version, (ROOT / "third_party/eigen.cmake").as_posix()),
                          encoding="utf-8")
        run = subprocess.run([CMAKE, "-P", str(script)], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, encoding="utf-8", check=False)
        return run.returncode, run.stdout


class EigenVersion(unittest.TestCase):
    def test_3_4_and_5_are_accepted(self):
        for version in ("3.4.0", "3.4.1", "5.0.0", "5.1.2"):
            status, output = find(version)
            self.assertEqual(status, 0, output)
            self.assertIn("stub: YES, version " + version, output)

    def test_older_and_newer_ones_are_refused_by_number(self):
        for version in ("3.3.9", "6.0.0"):
            status, output = find(version)
            self.assertNotEqual(status, 0, output)
            self.assertIn("needs Eigen 3.4 or 5", output)
            self.assertIn(version, output)


if __name__ == "__main__":
    unittest.main()
