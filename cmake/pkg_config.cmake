# The files of pkg-config, and the line that links an installed library where there is no build
# system at all. Both say what this configuration needs, in the order in which a linker wants it.

# What the libraries need: names for pkg-config where it knows them, else flags.
set(roberta_requires icu-uc)
set(roberta_link -licuuc)
set(roberta_libs)
if(KLUE_HAS_SNAPPY)  # whose Debian package has no .pc
  list(APPEND roberta_libs -lsnappy)
  list(APPEND roberta_link -lsnappy)
endif()
if(KLUE_HAS_ZLIB)
  list(APPEND roberta_requires zlib)
  list(APPEND roberta_link -lz)
endif()
if(KLUE_HAS_ONEDNN)
  list(APPEND roberta_libs -ldnnl -lgomp)
  list(APPEND roberta_link -ldnnl -lgomp)
endif()
if(KLUE_WITH_BLAS)
  # As the linker is given it here: a name or the path of a library.
  foreach(library IN LISTS BLAS_LIBRARIES)
    list(APPEND roberta_libs ${library})
    list(APPEND roberta_link ${library})
  endforeach()
endif()
list(APPEND roberta_libs -lpthread)
list(APPEND roberta_link -lpthread)
set(hub_libs)
if(KLUE_HAS_DOWNLOAD)
  # Not by libcurl.pc: with --static it asks for all that a static libcurl needs, which few have.
  set(hub_libs -lcurl -lcrypto)
endif()

# A C program is linked by a C compiler, which does not know the C++ library that we are written in.
set(runtime)
foreach(library IN LISTS CMAKE_CXX_IMPLICIT_LINK_LIBRARIES)
  if(library MATCHES "^(stdc\\+\\+|c\\+\\+|m)$")
    list(APPEND runtime -l${library})
  endif()
endforeach()

# Relative to the file itself, so that an installation can be moved.
set(pkg_config_directory ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH to_prefix
  ${CMAKE_INSTALL_PREFIX}/${pkg_config_directory} ${CMAKE_INSTALL_PREFIX})
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(pkg_config_directory ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
  set(pc_libdir ${CMAKE_INSTALL_LIBDIR})
else()
  string(REGEX REPLACE "/$" "" to_prefix "${to_prefix}")
  set(pc_prefix "\${pcfiledir}/${to_prefix}")
  set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
if(IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
  set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
else()
  set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()

# klue_pkg_config(NAME DESCRIPTION LIBRARY PUBLIC_REQUIRES REQUIRES LIBS): a static library leaves its
# needs to whoever links it. A shared one has linked them, and says nothing of them: pkg-config would
# refuse even a program that links it where a file named in Requires.private is not installed.
function(klue_pkg_config name description library public requires libs)
  set(text "prefix=${pc_prefix}\nlibdir=${pc_libdir}\nincludedir=${pc_includedir}\n\n")
  string(APPEND text "Name: ${name}\nDescription: ${description}\nVersion: ${PROJECT_VERSION}\n")
  if(BUILD_SHARED_LIBS)
    set(libs "")
  else()
    list(APPEND public ${requires})
  endif()
  list(JOIN public ", " public)
  list(JOIN libs " " libs)
  string(APPEND text "Requires: ${public}\nLibs: -L\${libdir} -l${library} ${libs}\n")
  string(APPEND text "Cflags: -I\${includedir}\n")
  # What is empty says nothing.
  string(REGEX REPLACE "Requires: *\n" "" text "${text}")
  string(REGEX REPLACE " +\n" "\n" text "${text}")
  file(WRITE ${PROJECT_BINARY_DIR}/${name}.pc "${text}")
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pkg_config_directory} COMPONENT development)
endfunction()

klue_pkg_config(klue-roberta "${PROJECT_DESCRIPTION}" klue_roberta
  "" "${roberta_requires}" "${roberta_libs};${runtime}")
klue_pkg_config(klue-roberta-hub "Models of klue-roberta by name" klue_hub
  klue-roberta "" "${hub_libs}")
if(KLUE_BUILD_TRAIN)
  klue_pkg_config(klue-roberta-train "Fine-tuning with klue-roberta" klue_train
    klue-roberta "" "")
endif()

# Without a build system: cmake/summary.cmake says it where configuring ends.
set(klue_link_line -lklue_roberta)
if(NOT BUILD_SHARED_LIBS)
  list(APPEND klue_link_line ${roberta_link})
endif()
list(JOIN klue_link_line " " klue_link_line)
