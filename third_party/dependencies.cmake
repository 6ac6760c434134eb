# Where every dependency comes from: the system's own packages, nothing vendored, nothing downloaded.
# On Debian and Ubuntu: tools/install_dependencies.

find_package(Eigen3 3.4 REQUIRED NO_MODULE)    # libeigen3-dev: packet primitives of the kernels
find_package(ICU 70 REQUIRED COMPONENTS uc)    # libicu-dev: Unicode properties and normalisation
find_package(nlohmann_json 3.10 REQUIRED)      # nlohmann-json3-dev: configuration files
find_package(Threads REQUIRED)
find_package(Snappy 1.1 QUIET)                 # libsnappy-dev, optional: compressed TensorFlow indices
find_package(ZLIB 1.2 QUIET)                   # zlib1g-dev, optional: models packed as .tar.gz

if(KLUE_BUILD_TOOLS)
  find_package(CLI11 2.1 REQUIRED)             # libcli11-dev: the command line of embed
endif()
if(KLUE_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)            # libgtest-dev, libgmock-dev
endif()
if(KLUE_BUILD_BENCHMARKS)
  find_package(benchmark 1.7 REQUIRED)         # libbenchmark-dev
endif()
