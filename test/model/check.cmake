# Has Spin search all states of a model. Fails unless it finds `errors`: none, or some.
#
# cmake -D spin=… -D compiler=… -D model=FILE -D macros=… -D errors=none|some -D scratch=DIR -P check.cmake
cmake_minimum_required(VERSION 3.25)

separate_arguments(macros)
file(REMOVE_RECURSE ${scratch})
file(MAKE_DIRECTORY ${scratch})
foreach(command IN ITEMS
    "${spin};${macros};-a;${model}"
    "${compiler};-xc;-O1;-w;-DSAFETY;pan.c;-o;pan"
    "./pan;-m100000")
  execute_process(COMMAND ${command} WORKING_DIRECTORY ${scratch}
    RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${command} failed:\n${said}")
  endif()
endforeach()
if(said MATCHES "depth too small|out of memory" OR NOT said MATCHES "([0-9]+) states, stored")
  message(FATAL_ERROR "The search is not complete:\n${said}")
endif()
set(states ${CMAKE_MATCH_1})
if(NOT said MATCHES "errors: ([0-9]+)")
  message(FATAL_ERROR "Spin does not say what it found:\n${said}")
endif()
set(found some)
if(CMAKE_MATCH_1 EQUAL 0)
  set(found none)
endif()
if(NOT found STREQUAL errors)
  message(FATAL_ERROR "Errors: ${found}, expected: ${errors}.\n${said}")
endif()
message(STATUS "${states} states, errors: ${found}")
