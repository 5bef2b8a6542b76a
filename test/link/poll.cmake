# Fails unless an idle safe point is three instructions in `file` (D1, P1): where the flag lies, a
# comparison, a jump; and no call before it, least of all of __tls_get_addr.
#
# cmake -D objdump=OBJDUMP -D file=FILE -P poll.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${objdump} -d --no-show-raw-insn --disassemble=poll_me ${file}
  OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\n +[0-9a-f]+:\t[^\n]+" lines "${text}")
list(TRANSFORM lines REPLACE "^\n +[0-9a-f]+:\t" "")
list(FILTER lines EXCLUDE REGEX "^endbr64")  # marks where a function begins, with -fcf-protection

set(count 0)
set(has_jump FALSE)
foreach(line IN LISTS lines)
  math(EXPR count "${count} + 1")
  if(line MATCHES "^j" AND NOT line MATCHES "^jmp")
    set(has_jump TRUE)
    break()
  endif()
endforeach()
if(NOT has_jump OR NOT count EQUAL 3 OR text MATCHES "__tls_get_addr")
  message(FATAL_ERROR "a safe point is not three instructions in ${file}:\n${text}")
endif()
message(STATUS "${text}")
