# What a user may choose. A project that includes this one by add_subdirectory gets the library and
# nothing else, unless it asks.
option(SIGEXC_WITH_LIBDW
  "Name functions and source lines in backtraces, by libdw of elfutils; else exported functions only" ON)
option(SIGEXC_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(SIGEXC_BUILD_DEMO "Build the demonstration, the work cell" OFF)
option(SIGEXC_BUILD_BENCH "Build the benchmarks; they need Google Benchmark and Boost.Thread" OFF)
option(SIGEXC_INSTALL "Make rules to install and package" ${PROJECT_IS_TOP_LEVEL})
