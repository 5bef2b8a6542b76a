# What `cmake --install` puts where: headers, library, the config package for find_package, and
# sigexc.pc for pkg-config. None of them holds an absolute path, so the prefix may be moved.
# Component `runtime` is what a program needs to run, `development` what one needs to build it.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sigexc)
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS sigexc EXPORT sigexc-targets
  LIBRARY
    DESTINATION ${CMAKE_INSTALL_LIBDIR}
    COMPONENT runtime
    NAMELINK_COMPONENT development
  FILE_SET HEADERS
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    COMPONENT development)

# The library of computations has an export set of its own, for who has Boost.
if(SIGEXC_BUILD_CONTEXT)
  install(TARGETS sigexc_context EXPORT sigexc-context-targets
    LIBRARY
      DESTINATION ${CMAKE_INSTALL_LIBDIR}
      COMPONENT runtime_context
      NAMELINK_COMPONENT development_context
    FILE_SET HEADERS
      DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
      COMPONENT development_context)
  install(EXPORT sigexc-context-targets
    NAMESPACE sigexc::
    DESTINATION ${config_dir}
    COMPONENT development_context)
endif()

install(EXPORT sigexc-targets
  NAMESPACE sigexc::
  DESTINATION ${config_dir}
  COMPONENT development)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/sigexc-config.cmake.in
  ${PROJECT_BINARY_DIR}/sigexc-config.cmake
  INSTALL_DESTINATION ${config_dir}
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/sigexc-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/sigexc-config.cmake
    ${PROJECT_BINARY_DIR}/sigexc-config-version.cmake
  DESTINATION ${config_dir}
  COMPONENT development)

file(RELATIVE_PATH pc_to_prefix /prefix/${pc_dir} /prefix)
string(REGEX REPLACE "/$" "" pc_to_prefix ${pc_to_prefix})
# Not `Requires.private`: for that pkg-config wants to find libdw.pc even where it does not use it.
set(pc_libs_private "")
if(SIGEXC_WITH_LIBDW)
  set(pc_libs_private "Libs.private: -ldw\n")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/sigexc.pc.in ${PROJECT_BINARY_DIR}/sigexc.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/sigexc.pc DESTINATION ${pc_dir} COMPONENT development)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR}
  COMPONENT development)
