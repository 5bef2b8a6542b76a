# Runs a program that throws, lets the loader tell to what it binds the functions that unwind the
# stack, and fails if that is anything but libgcc_s. Another library that exports the same names
# (libunwind does) would make each throw of the whole process many times dearer.
#
# cmake -P throw.cmake -- PROGRAM [ARGUMENT]...
cmake_minimum_required(VERSION 3.25)

set(command "")  # what follows `--`, which is the fourth argument
foreach(i RANGE 4 ${CMAKE_ARGC})
  list(APPEND command ${CMAKE_ARGV${i}})
endforeach()
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env LD_DEBUG=bindings LD_BIND_NOW=1 ${command}
  RESULT_VARIABLE result ERROR_VARIABLE log)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${command} failed: ${result}")
endif()
string(REGEX MATCHALL "binding file [^\n]* symbol `_Unwind_[^\n]*" bindings "${log}")
list(FILTER bindings EXCLUDE REGEX "^binding file [^ ]*/libunwind")  # what it calls of its own
set(faults "")
set(has_throw FALSE)
foreach(binding IN LISTS bindings)
  if(NOT binding MATCHES " to [^ ]*/libgcc_s\\.so\\.1 ")
    string(APPEND faults "  ${binding}\n")
  elseif(binding MATCHES "/libstdc\\+\\+\\.so\\.6 .*`_Unwind_RaiseException'")
    set(has_throw TRUE)
  endif()
endforeach()
if(faults)
  message(FATAL_ERROR "Not all throws stay with libgcc:\n${faults}")
endif()
if(NOT has_throw)
  message(FATAL_ERROR "The loader did not tell to what libstdc++ binds _Unwind_RaiseException.")
endif()
