# KLUE_STATIC: commands that ask nothing of the system but its kernel. Included before the dependencies
# are looked for, and then for what their packages leave to be shared.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(OPENSSL_USE_STATIC_LIBS ON)
set(ZLIB_USE_STATIC_LIBS ON)
set(BUILD_SHARED_LIBS OFF)
find_library(KLUE_ICU_DATA icudata)  # or an object with a part of it
find_library(KLUE_STATIC_SNAPPY snappy)
mark_as_advanced(KLUE_ICU_DATA KLUE_STATIC_SNAPPY)

function(klue_link_static_dependencies)
  set_property(TARGET ICU::uc APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${KLUE_ICU_DATA})
  if(KLUE_HAS_SNAPPY)
    # Its package describes the shared library alone.
    get_target_property(configurations Snappy::snappy IMPORTED_CONFIGURATIONS)
    foreach(configuration IN LISTS configurations)
      set_target_properties(Snappy::snappy PROPERTIES IMPORTED_LOCATION_${configuration} ${KLUE_STATIC_SNAPPY})
    endforeach()
  endif()
endfunction()
