# Debian packages, by `cpack` in the build folder: libsigexc0 to run programs, libsigexc-dev to
# build them. It asks the Debian packages file and dpkg-dev what the library depends on.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "The sigexc authors")
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libsigexc0)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libsigexc-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libsigexc0 (= ${PROJECT_VERSION}), libstdc++-12-dev | libstdc++-dev")
include(CPack)
