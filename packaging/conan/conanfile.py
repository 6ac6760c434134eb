"""Conan 2: conan create packaging/conan --build=missing, in a checkout."""
import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir

REPOSITORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class KlueRobertaConan(ConanFile):
    name = "klue-roberta"
    description = "Korean text embeddings with KLUE RoBERTa, in C++"
    license = "Apache-2.0"
    topics = ("nlp", "korean", "embeddings", "roberta")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {
        "shared": [True, False],
        "fPIC": [True, False],
        "hub": [True, False],
        "onednn": [True, False],
        "snappy": [True, False],
        "tools": [True, False],
        "train": [True, False],
        "zlib": [True, False],
    }
    default_options = {
        "shared": False,
        "fPIC": True,
        "hub": False,
        "onednn": False,
        "snappy": False,
        "tools": False,
        "train": False,
        "zlib": True,
    }

    # The version stands in the headers.
    def set_version(self):
        header = load(self, os.path.join(REPOSITORY, "include", "klue", "version.hpp"))
        self.version = header.split('KLUE_VERSION_STRING "', 1)[1].split('"', 1)[0]

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "README.md", "cmake/*", "include/*", "models/*", "packaging/*",
                        "src/*", "third_party/*", "tools/*"):
            copy(self, pattern, REPOSITORY, self.export_sources_folder)

    def configure(self):
        if self.options.shared:
            self.options.rm_safe("fPIC")

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("klue-roberta runs on Linux")

    def requirements(self):
        self.requires("eigen/3.4.0")
        self.requires("icu/72.1")
        self.requires("nlohmann_json/3.11.2")
        if self.options.zlib:
            self.requires("zlib/[>=1.2.11 <2]")
        if self.options.snappy:
            self.requires("snappy/1.1.10")
        if self.options.onednn:
            self.requires("onednn/3.3")
        if self.options.hub:
            self.requires("libcurl/[>=7.85 <9]")
        if self.options.hub or self.options.tools:
            self.requires("openssl/[>=3 <4]")
        if self.options.tools:
            self.requires("cli11/2.3.2")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["KLUE_BUILD_TESTS"] = False
        toolchain.cache_variables["KLUE_BUILD_TOOLS"] = bool(self.options.tools)
        toolchain.cache_variables["KLUE_BUILD_TRAIN"] = bool(self.options.train)
        toolchain.cache_variables["KLUE_WITH_DOWNLOAD"] = "ON" if self.options.hub else "OFF"
        toolchain.cache_variables["KLUE_WITH_ONEDNN"] = "ON" if self.options.onednn else "OFF"
        toolchain.cache_variables["KLUE_WITH_SNAPPY"] = "ON" if self.options.snappy else "OFF"
        toolchain.cache_variables["KLUE_WITH_ZLIB"] = "ON" if self.options.zlib else "OFF"
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        rmdir(self, os.path.join(self.package_folder, "lib", "cmake"))
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "klue_roberta")
        roberta = self.cpp_info.components["roberta"]
        roberta.set_property("cmake_target_name", "klue::roberta")
        roberta.set_property("pkg_config_name", "klue-roberta")
        roberta.libs = ["klue_roberta"]
        roberta.system_libs = ["pthread", "m"]
        roberta.requires = ["eigen::eigen", "icu::icu-uc", "nlohmann_json::nlohmann_json"]
        if self.options.zlib:
            roberta.requires.append("zlib::zlib")
        if self.options.snappy:
            roberta.requires.append("snappy::snappy")
        if self.options.onednn:
            roberta.requires.append("onednn::onednn")
        hub = self.cpp_info.components["hub"]
        hub.set_property("cmake_target_name", "klue::hub")
        hub.set_property("pkg_config_name", "klue-roberta-hub")
        hub.libs = ["klue_hub"]
        hub.requires = ["roberta"]
        if self.options.hub:
            hub.requires += ["libcurl::libcurl", "openssl::crypto"]
        if self.options.train:
            train = self.cpp_info.components["train"]
            train.set_property("cmake_target_name", "klue::train")
            train.set_property("pkg_config_name", "klue-roberta-train")
            train.libs = ["klue_train"]
            train.requires = ["roberta"]
        if self.options.tools:
            self.cpp_info.components["tools"].requires = ["cli11::cli11", "openssl::crypto"]
