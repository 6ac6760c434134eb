include(CMakePackageConfigHelpers)

install(TARGETS klue_roberta EXPORT klue_roberta_targets)
install(DIRECTORY include/klue TYPE INCLUDE)
install(EXPORT klue_roberta_targets
  FILE klue_robertaTargets.cmake
  NAMESPACE klue::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/klue_roberta)

# The component "hub", which alone needs libcurl.
install(TARGETS klue_hub EXPORT klue_hub_targets)
install(EXPORT klue_hub_targets
  FILE klue_robertaHubTargets.cmake
  NAMESPACE klue::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/klue_roberta)

configure_package_config_file(cmake/klue_robertaConfig.cmake.in
  ${PROJECT_BINARY_DIR}/klue_robertaConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/klue_roberta)
# Before 1.0 a minor version may change the API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/klue_robertaConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/klue_robertaConfig.cmake
  ${PROJECT_BINARY_DIR}/klue_robertaConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/klue_roberta)
