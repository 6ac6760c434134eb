# Where every dependency comes from: the system's own packages, nothing vendored, nothing downloaded.
# On Debian and Ubuntu: tools/install_dependencies.

find_package(Eigen3 3.4 REQUIRED NO_MODULE)    # libeigen3-dev: packet primitives of the kernels
find_package(ICU 70 REQUIRED COMPONENTS uc)    # libicu-dev: Unicode properties and normalisation
find_package(nlohmann_json 3.10 REQUIRED)      # nlohmann-json3-dev: configuration files
find_package(Threads REQUIRED)
find_package(Snappy 1.1 QUIET)                 # libsnappy-dev, optional: compressed TensorFlow indices
find_package(ZLIB 1.2 QUIET)                   # zlib1g-dev, optional: models packed as .tar.gz

# libdnnl-dev, optional: a second engine. Not by its own CMake package, which on Debian asks for the
# headers of OpenCL. It must be a build on OpenMP, whose threads linear/onednn_linear.cpp knows to hold.
if(KLUE_WITH_ONEDNN)
  find_package(OpenMP QUIET COMPONENTS CXX)
  find_library(KLUE_ONEDNN_LIBRARY dnnl)
  find_path(KLUE_ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl_config.h)
  mark_as_advanced(KLUE_ONEDNN_LIBRARY KLUE_ONEDNN_INCLUDE_DIR)
  if(OpenMP_CXX_FOUND AND KLUE_ONEDNN_LIBRARY AND KLUE_ONEDNN_INCLUDE_DIR)
    file(STRINGS ${KLUE_ONEDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_config.h KLUE_ONEDNN_FOUND
      REGEX "^#define DNNL_CPU_THREADING_RUNTIME DNNL_RUNTIME_OMP")
  endif()
endif()

# Downloads of models by name, both or none; without them klue::hub uses what is in the cache.
find_package(CURL 7.85 QUIET)                  # libcurl4-openssl-dev, optional: HTTP
find_package(OpenSSL 3.0 QUIET COMPONENTS Crypto)  # libssl-dev, optional: SHA-256, git's hashes
set(KLUE_WITH_DOWNLOAD OFF)
if(CURL_FOUND AND OpenSSL_FOUND)
  set(KLUE_WITH_DOWNLOAD ON)
endif()

if(KLUE_BUILD_TOOLS)
  find_package(CLI11 2.1 REQUIRED)             # libcli11-dev: the command line of the tools
  find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)  # libssl-dev: SHA-256 of models and texts
endif()
if(KLUE_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)            # libgtest-dev, libgmock-dev
endif()
if(KLUE_BUILD_BENCHMARKS)
  find_package(benchmark 1.7 REQUIRED)         # libbenchmark-dev
endif()
