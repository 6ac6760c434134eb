#!/usr/bin/env python3
"""Holds packaging/vcpkg and packaging/conan to what CMake knows, as far as goes without either.

Usage: packages_test.py REPOSITORY [PYTHON-WITH-CONAN]
"""
import ast
import json
import pathlib
import re
import sys

repository = pathlib.Path(sys.argv[1])
FEATURES = {"hub", "onednn", "snappy", "tools", "train", "zlib"}
failed = []


def check(condition, message):
    if not condition:
        failed.append(message)


def read(path):
    return (repository / path).read_text(encoding="utf-8")


cmake_files = [p for p in repository.glob("**/*.cmake") if "build" not in p.parts and "packaging" not in p.parts]
cmake_files += [p for p in repository.glob("**/CMakeLists.txt") if not {"build", "tests", "packaging"} & set(p.parts)]
cmake = "\n".join(p.read_text(encoding="utf-8") for p in cmake_files + [repository / "packaging/cpack.cmake"])
options = set(re.findall(r"\boption\((\w+)", cmake))
cached = set(re.findall(r"\bset\((\w+)[^()]*?\bCACHE\b", cmake)) | set(re.findall(r"find_(?:library|path)\((\w+)", cmake))
optional = {"KLUE_WITH_" + name for name in re.findall(r"\nklue_optional\((\w+)", cmake)}
known = options | cached | optional
version = re.search(r'KLUE_VERSION_STRING "(.*)"', read("include/klue/version.hpp"))[1]

# Names: everything that a project which includes ours can set or see begins with KLUE_. What is left are
# CMake's own variables, set where klue-roberta is the project that is built.
foreign = {name for name in options | cached if not name.startswith("KLUE_")}
foreign -= {"BUILD_SHARED_LIBS", "CMAKE_BUILD_TYPE"}
check(not any("${" in name for name in known), "a cache variable has a computed name")
check(not foreign, "options that do not begin with KLUE_: %s" % sorted(foreign))
check(len(options) > 8 and len(optional) == 4, "the options were not found: %s" % sorted(known))

# vcpkg: the manifest by the rules of its format, the portfile by what it passes on.
port = "packaging/vcpkg/klue-roberta/"
manifest = json.loads(read(port + "vcpkg.json"))
check(manifest["version"] == version, "vcpkg.json says version " + manifest["version"])
check(set(manifest) <= {"name", "version", "description", "homepage", "license", "supports", "dependencies",
                        "default-features", "features"}, "vcpkg.json has unknown members")
check(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", manifest["name"]), "a name that vcpkg refuses")
check(manifest["license"] == "Apache-2.0", "another licence")
check(set(manifest["features"]) == FEATURES, "vcpkg.json has features %s" % sorted(manifest["features"]))
check(set(manifest["default-features"]) <= FEATURES, "unknown default features")
for name, feature in manifest["features"].items():
    check(set(feature) <= {"description", "dependencies", "supports"} and feature.get("description"),
          "feature %s is not described" % name)
for part in [manifest, *manifest["features"].values()]:
    names = [d if isinstance(d, str) else d["name"] for d in part.get("dependencies", [])]
    check(names == sorted(names), "dependencies are not in order: %s" % names)
check(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n" == read(port + "vcpkg.json"),
      "vcpkg.json is not formatted as vcpkg format-manifest does")
portfile = read(port + "portfile.cmake")
features = dict(re.findall(r"^ +(\w+) +(KLUE_\w+)$", portfile, re.M))
check(set(features) == FEATURES, "portfile.cmake knows %s" % sorted(features))
used = set(re.findall(r"\bKLUE_[A-Z_]+\b", portfile)) - {"KLUE_ROBERTA_SOURCE"}
check(used and used <= known, "portfile.cmake sets what CMake does not know: %s" % sorted(used - known))
commands = set(re.search(r"TOOL_NAMES ([a-z ]+) AUTO_CLEAN", portfile)[1].split())
check(commands == set(re.findall(r"klue_command\((\w+)\)", cmake)), "portfile.cmake copies %s" % commands)

# Conan: the recipe is Python, and every option reaches CMake.
for recipe in ("packaging/conan/conanfile.py", "packaging/conan/test_package/conanfile.py"):
    ast.parse(read(recipe), recipe)
recipe = read("packaging/conan/conanfile.py")
tree = next(node for node in ast.parse(recipe).body if isinstance(node, ast.ClassDef))
values = {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body
          if isinstance(node, ast.Assign) and node.targets[0].id in ("options", "default_options")}
check(set(values["options"]) == FEATURES | {"shared", "fPIC"}, "the recipe has options %s" % sorted(values["options"]))
check(set(values["options"]) == set(values["default_options"]), "an option of the recipe has no default")
passed = set(re.findall(r'cache_variables\["(\w+)"\]', recipe))
check(passed <= known, "the recipe sets what CMake does not know: %s" % sorted(passed - known))
check({features[name] for name in FEATURES} <= passed, "the recipe does not pass %s" % FEATURES)
for name in FEATURES:
    check("self.options.%s" % name in recipe, "the recipe has no use for %s" % name)

# The libraries by the names that CMake gives them.
for library in re.findall(r'\.libs = \["(\w+)"\]', recipe):
    check("klue_add_library(%s " % library in cmake, "no library %s" % library)
check(read("packaging/debian/changelog").startswith("klue-roberta (%s-" % version), "debian/changelog is behind")

print("\n".join(failed) or "packages: vcpkg, Conan and the names of options passed")
sys.exit(bool(failed))
