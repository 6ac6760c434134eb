# Where every dependency comes from: the system's own packages, nothing vendored, nothing downloaded.
# On Debian and Ubuntu: tools/install_dependencies.

# An optional library is used where it is found (AUTO), required (ON) or left alone (OFF), so that a
# package does not depend on what its build machine happens to have.
function(klue_optional name description)
  set(KLUE_WITH_${name} AUTO CACHE STRING "${description}: AUTO, ON or OFF")
  set_property(CACHE KLUE_WITH_${name} PROPERTY STRINGS AUTO ON OFF)
endfunction()

klue_optional(SNAPPY "Read compressed TensorFlow indices")
klue_optional(ZLIB "Read models packed as .tar.gz")
klue_optional(ONEDNN "Have oneDNN as an engine")
klue_optional(DOWNLOAD "Download models by name, with libcurl and OpenSSL")
option(KLUE_WITH_BLAS "Let the engine eigen multiply by a BLAS (MKL, AOCL, OpenBLAS)" OFF)

# Whether an optional library is wanted but was not FOUND; an error where it is required.
function(klue_use name found result)
  if(KLUE_WITH_${name} STREQUAL "ON" AND NOT found)
    message(FATAL_ERROR "KLUE_WITH_${name} is ON, but what it needs was not found")
  endif()
  if(KLUE_WITH_${name} AND found)
    set(${result} ON PARENT_SCOPE)
  else()
    set(${result} OFF PARENT_SCOPE)
  endif()
endfunction()

find_package(ICU 70 REQUIRED COMPONENTS uc)    # libicu-dev: Unicode properties and normalisation
find_package(nlohmann_json 3.10 REQUIRED)      # nlohmann-json3-dev: configuration files
find_package(Threads REQUIRED)
include(${CMAKE_CURRENT_LIST_DIR}/eigen.cmake)          # libeigen3-dev: the engine eigen

find_package(Snappy 1.1 QUIET)                 # libsnappy-dev
klue_use(SNAPPY "${Snappy_FOUND}" KLUE_HAS_SNAPPY)
find_package(ZLIB 1.2 QUIET)                   # zlib1g-dev
klue_use(ZLIB "${ZLIB_FOUND}" KLUE_HAS_ZLIB)
include(${CMAKE_CURRENT_LIST_DIR}/../cmake/klue_find_onednn.cmake)  # libdnnl-dev
klue_use(ONEDNN "${KLUE_ONEDNN_FOUND}" KLUE_HAS_ONEDNN)
find_package(CURL 7.85 QUIET)                  # libcurl4-openssl-dev: HTTP
find_package(OpenSSL 3.0 QUIET COMPONENTS Crypto)  # libssl-dev: SHA-256, git's hashes
set(curl_and_openssl OFF)
if(CURL_FOUND AND OpenSSL_FOUND)
  set(curl_and_openssl ON)
endif()
klue_use(DOWNLOAD ${curl_and_openssl} KLUE_HAS_DOWNLOAD)
if(KLUE_WITH_BLAS)
  find_package(BLAS REQUIRED)                  # any; -DBLA_VENDOR=… chooses
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
