# libklue-roberta0, libklue-roberta-dev, klue-roberta-tools. Before 1.0 a minor version may change the
# ABI; who depends on the library is therefore bound to the minor version that it was built with.
if(NOT BUILD_SHARED_LIBS)
  message(FATAL_ERROR "KLUE_DEBIAN makes packages of shared libraries: -DBUILD_SHARED_LIBS=ON")
endif()
set(soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
math(EXPR next "${PROJECT_VERSION_MINOR} + 1")
set(bound "libklue-roberta0 (>= ${soversion}), libklue-roberta0 (<< ${PROJECT_VERSION_MAJOR}.${next}~)")

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE https://huggingface.co/klue/roberta-base)

set(about "klue-roberta runs KLUE RoBERTa and its descendants on a CPU, straight from the
files that people have: Korean text in, vectors, labels or answers out, with
no Python and no conversion step.")

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libklue-roberta0)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "${about}
.
This package has the shared libraries.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libklue-roberta-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libklue-roberta0 (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
# What the headers need where the library is compiled into a program, and what this configuration of
# klue::header_only links then.
set(recommended libeigen3-dev libicu-dev nlohmann-json3-dev)
set(options KLUE_HAS_SNAPPY KLUE_HAS_ZLIB KLUE_HAS_ONEDNN)
set(packages libsnappy-dev zlib1g-dev libdnnl-dev)
foreach(option package IN ZIP_LISTS options packages)
  if(${option})
    list(APPEND recommended ${package})
  endif()
endforeach()
list(JOIN recommended ", " recommended)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "${recommended}")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "${about}
.
This package has the headers, and what CMake and pkg-config want to know.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME klue-roberta-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOLS_DESCRIPTION "${about}
.
This package has the commands klue-embed, klue-predict, klue-evaluate and
klue-finetune, and a small model to try them with.")
# Our own libraries are found where they were built; they bind those who link them by the file shlibs.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/src)
file(WRITE ${PROJECT_BINARY_DIR}/debian/shlibs "")
foreach(library IN ITEMS klue_roberta klue_hub klue_train)
  file(APPEND ${PROJECT_BINARY_DIR}/debian/shlibs "lib${library} ${soversion} ${bound}\n")
endforeach()
file(WRITE ${PROJECT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
  "${PROJECT_BINARY_DIR}/debian/shlibs;${PROJECT_BINARY_DIR}/debian/triggers")
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "${bound}")

# What Debian's policy wants of every package.
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog ${PROJECT_BINARY_DIR}/debian/changelog @ONLY)
execute_process(COMMAND gzip --best --no-name --stdout ${PROJECT_BINARY_DIR}/debian/changelog
  OUTPUT_FILE ${PROJECT_BINARY_DIR}/debian/changelog.Debian.gz COMMAND_ERROR_IS_FATAL ANY)
foreach(component IN ITEMS RUNTIME DEVELOPMENT TOOLS)
  string(TOLOWER ${component} lower)
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/copyright ${PROJECT_BINARY_DIR}/debian/changelog.Debian.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${component}_PACKAGE_NAME} COMPONENT ${lower})
endforeach()
