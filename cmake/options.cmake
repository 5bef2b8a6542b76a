# What a user may choose. A project that includes this one by add_subdirectory gets the library and
# nothing else, unless it asks.
find_package(PkgConfig QUIET)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(libdw QUIET IMPORTED_TARGET libdw)
endif()
set(has_libdw OFF)
if(TARGET PkgConfig::libdw)
  set(has_libdw ON)
endif()
option(SIGEXC_WITH_LIBDW
  "Name functions and source lines in backtraces, by libdw of elfutils; else exported functions only"
  ${has_libdw})
find_package(Boost 1.74 QUIET COMPONENTS context)
set(has_boost_context OFF)
if(TARGET Boost::context)
  set(has_boost_context ON)
endif()
option(SIGEXC_BUILD_CONTEXT
  "Build the library sigexc::context, resumable computations; it needs Boost.Context"
  ${has_boost_context})
option(SIGEXC_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(SIGEXC_BUILD_DEMO "Build the demonstration, the work cell" OFF)
option(SIGEXC_BUILD_BENCH "Build the benchmarks; they need Google Benchmark, Boost.Thread and SQLite" OFF)
option(SIGEXC_COVERAGE "Count how often each line of the library is reached (gcov)" OFF)
option(SIGEXC_INSTALL "Make rules to install and package" ${PROJECT_IS_TOP_LEVEL})
