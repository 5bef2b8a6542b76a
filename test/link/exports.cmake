# Fails if the library exports what is not ours, or was not linked as the handler needs it.
#
# cmake -D nm=NM -D readelf=READELF -D library=FILE -P exports.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${nm} -DC --defined-only ${library}
  OUTPUT_VARIABLE lines COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE ";" "," lines "${lines}")
string(REGEX MATCHALL "[^\n]+" lines "${lines}")
set(ours "((typeinfo|typeinfo name|vtable|guard variable) for |(non-)?virtual thunk to )?sigexc::")
set(faults "")
foreach(line IN LISTS lines)
  if(NOT line MATCHES "^[0-9a-f]+ ([A-Za-z]) (.*)$")
    message(FATAL_ERROR "cannot read nm's '${line}'")
  endif()
  set(kind ${CMAKE_MATCH_1})
  set(symbol ${CMAKE_MATCH_2})
  if(kind STREQUAL "A" AND symbol STREQUAL "SIGEXC_0")
    continue()  # the version itself
  endif()
  if(symbol MATCHES "^f?exec(l|le|lp|v|ve|vp|vpe|veat)$")
    list(APPEND execs ${symbol})  # over those of the C library, and so without a version
    continue()
  endif()
  if(NOT symbol MATCHES "^${ours}.*@@SIGEXC_0$")
    string(APPEND faults "  exports ${symbol}\n")
  endif()
endforeach()
list(LENGTH execs count)
if(NOT count EQUAL 9)
  string(APPEND faults "  exports ${count} functions of the exec family: ${execs}\n")
endif()
foreach(wanted IN ITEMS
    "sigexc::detail::current" "sigexc::detail::deliver()"
    "typeinfo for sigexc::terminated" "vtable for sigexc::exception_group")
  string(FIND "${lines}" " ${wanted}@@SIGEXC_0" at)
  if(at LESS 0)
    string(APPEND faults "  does not export ${wanted}\n")
  endif()
endforeach()

execute_process(COMMAND ${readelf} -dW ${library}
  OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
foreach(wanted IN ITEMS
    "\\(SONAME\\) .*\\[libsigexc\\.so\\.0\\]"
    "\\(FLAGS\\) .* BIND_NOW"
    "\\(FLAGS\\) .* STATIC_TLS"
    "\\(FLAGS_1\\) .* NOW .*NODELETE")
  string(REPLACE ".*" "[^\n]*" pattern "${wanted}")  # on one line
  if(NOT dynamic MATCHES "${pattern}")
    string(APPEND faults "  readelf -d shows no ${wanted}\n")
  endif()
endforeach()
if(faults)
  message(FATAL_ERROR "${library}:\n${faults}")
endif()
list(LENGTH lines count)
message(STATUS "${count} symbols exported, all ours")
