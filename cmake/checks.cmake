# What the library needs of the system, told at configuration rather than by a compiler's error.
if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(FATAL_ERROR
    "sigexc needs Linux: it is made of real-time signals, futexes and membarrier.")
endif()
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang)$")
  message(WARNING "sigexc has been tried with gcc and clang only, not ${CMAKE_CXX_COMPILER_ID}.")
endif()
