# Finds oneDNN as klue::onednn, here and where an installed static library is linked. Not by oneDNN's
# own package, which on Debian asks for the headers of OpenCL. It must be a build on OpenMP, whose
# threads linear/impl/onednn_linear.ipp knows to hold. Sets KLUE_ONEDNN_FOUND.
find_package(OpenMP QUIET COMPONENTS CXX)
find_library(KLUE_ONEDNN_LIBRARY dnnl)
find_path(KLUE_ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl_config.h)
mark_as_advanced(KLUE_ONEDNN_LIBRARY KLUE_ONEDNN_INCLUDE_DIR)
set(KLUE_ONEDNN_FOUND OFF)
if(OpenMP_CXX_FOUND AND KLUE_ONEDNN_LIBRARY AND KLUE_ONEDNN_INCLUDE_DIR)
  file(STRINGS ${KLUE_ONEDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_config.h klue_onednn_on_openmp
    REGEX "^#define DNNL_CPU_THREADING_RUNTIME DNNL_RUNTIME_OMP")
  if(klue_onednn_on_openmp)
    set(KLUE_ONEDNN_FOUND ON)
  endif()
endif()
if(KLUE_ONEDNN_FOUND AND NOT TARGET klue::onednn)
  # OpenMP's library without its compiler flag: nothing of ours is written in OpenMP.
  add_library(klue::onednn INTERFACE IMPORTED)
  set_target_properties(klue::onednn PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${KLUE_ONEDNN_INCLUDE_DIR};${OpenMP_CXX_INCLUDE_DIRS}"
    INTERFACE_LINK_LIBRARIES "${KLUE_ONEDNN_LIBRARY};${OpenMP_CXX_LIBRARIES}")
endif()
