include(CMakePackageConfigHelpers)

# Three components: runtime (shared libraries), development, and tools, which tools/CMakeLists.txt installs.
set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/klue_roberta)

# klue_install_component(TARGET FILE): a library and the file of its imported target.
function(klue_install_component target file)
  install(TARGETS ${target} EXPORT ${file}
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
    ARCHIVE COMPONENT development)
  install(EXPORT ${file} FILE ${file}.cmake NAMESPACE klue::
    DESTINATION ${package_directory} COMPONENT development)
endfunction()

install(DIRECTORY include/klue TYPE INCLUDE COMPONENT development)
klue_install_component(klue_roberta klue_robertaTargets)
klue_install_component(klue_header_only klue_robertaHeaderOnlyTargets)
klue_install_component(klue_hub klue_robertaHubTargets)  # which alone needs libcurl
if(KLUE_BUILD_TRAIN)
  klue_install_component(klue_train klue_robertaTrainTargets)
endif()

configure_package_config_file(cmake/klue_robertaConfig.cmake.in
  ${PROJECT_BINARY_DIR}/klue_robertaConfig.cmake
  INSTALL_DESTINATION ${package_directory})
# Before 1.0 a minor version may change the API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/klue_robertaConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/klue_robertaConfig.cmake
  ${PROJECT_BINARY_DIR}/klue_robertaConfigVersion.cmake
  cmake/klue_find_onednn.cmake
  DESTINATION ${package_directory} COMPONENT development)
include(cmake/pkg_config.cmake)

if(NOT KLUE_DEBIAN)  # which has a place of its own for it
  install(FILES LICENSE TYPE DOC COMPONENT development)
endif()
set(klue_components runtime development)
if(KLUE_BUILD_TOOLS)
  list(APPEND klue_components tools)
endif()

if(PROJECT_IS_TOP_LEVEL)
  add_custom_target(uninstall
    COMMAND ${CMAKE_COMMAND} -P ${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake ${PROJECT_BINARY_DIR}
    COMMENT "Removing what the last installation put there" VERBATIM)
endif()
