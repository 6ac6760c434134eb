include(CMakePackageConfigHelpers)

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/klue_roberta)

# klue_install_component(TARGET FILE): a library and the file of its imported target.
function(klue_install_component target file)
  install(TARGETS ${target} EXPORT ${file})
  install(EXPORT ${file} FILE ${file}.cmake NAMESPACE klue:: DESTINATION ${package_directory})
endfunction()

install(DIRECTORY include/klue TYPE INCLUDE)
klue_install_component(klue_roberta klue_robertaTargets)
klue_install_component(klue_header_only klue_robertaHeaderOnlyTargets)
klue_install_component(klue_hub klue_robertaHubTargets)  # which alone needs libcurl
klue_install_component(klue_train klue_robertaTrainTargets)

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
  DESTINATION ${package_directory})
