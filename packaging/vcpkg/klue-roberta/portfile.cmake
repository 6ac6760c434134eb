# Try it on this checkout: vcpkg install klue-roberta --overlay-ports=packaging/vcpkg, with
# KLUE_ROBERTA_SOURCE set to its path (and named in VCPKG_KEEP_ENV_VARS). In a registry
# vcpkg_from_github(… REF "v${VERSION}" …) takes the place of these lines.
if(NOT DEFINED ENV{KLUE_ROBERTA_SOURCE})
  message(FATAL_ERROR "KLUE_ROBERTA_SOURCE must be the path of klue-roberta's sources")
endif()
set(SOURCE_PATH "$ENV{KLUE_ROBERTA_SOURCE}")

vcpkg_check_features(OUT_FEATURE_OPTIONS options
  FEATURES
    hub     KLUE_WITH_DOWNLOAD
    onednn  KLUE_WITH_ONEDNN
    snappy  KLUE_WITH_SNAPPY
    tools   KLUE_BUILD_TOOLS
    train   KLUE_BUILD_TRAIN
    zlib    KLUE_WITH_ZLIB
)
vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    ${options}
    -DKLUE_BUILD_TESTS=OFF
    -DKLUE_INSTALL=ON
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME klue_roberta CONFIG_PATH lib/cmake/klue_roberta)
vcpkg_fixup_pkgconfig()
if("tools" IN_LIST FEATURES)
  # The demo model stands in share/, where the commands look for it from their own folder.
  vcpkg_copy_tools(TOOL_NAMES embed evaluate finetune predict AUTO_CLEAN)
endif()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
