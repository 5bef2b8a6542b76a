# The test of house.cmake and rules.cmake: plants one fault at a time in a copy of the tree and wants
# it told.
#
# cmake -D root=DIR -D scratch=DIR -P planted.cmake
cmake_minimum_required(VERSION 3.25)

# Runs `check` on a fresh copy in which `file` begins with `line`; `expected` is in its verdict.
set(check house.cmake)
function(plant file line expected)
  file(REMOVE_RECURSE ${scratch})
  file(COPY ${root}/lib ${root}/include ${root}/test ${root}/doc DESTINATION ${scratch})
  set(old "")
  if(EXISTS ${scratch}/${file})
    file(READ ${scratch}/${file} old)
  endif()
  file(WRITE ${scratch}/${file} "${line}\n${old}")
  execute_process(
    COMMAND ${CMAKE_COMMAND} -D root=${scratch} -P ${CMAKE_CURRENT_LIST_DIR}/${check}
    RESULT_VARIABLE result ERROR_VARIABLE verdict OUTPUT_QUIET)
  string(REGEX REPLACE "[ \n]+" " " verdict "${verdict}")
  string(FIND "${verdict}" "${file}: ${expected}" at)
  if(result EQUAL 0 OR at LESS 0)
    message(SEND_ERROR "not told: ${line} in ${file}\nresult ${result}, verdict: ${verdict}")
  else()
    message(STATUS "told: ${line} in ${file}")
  endif()
endfunction()

file(GLOB below RELATIVE ${root} ${root}/lib/mailbox/*.cpp)
list(GET below 0 below)
file(GLOB above RELATIVE ${root}/lib ${root}/lib/deliver/*.hpp)
list(GET above 0 above)

plant(${below} "#include \"${above}\"" "includes \"${above}\", which goes up")
plant(${below} "  #  include \"${above}\"  // why" "includes \"${above}\", which goes up")
plant(${below} "#include \"cellar/x.hpp\"" "includes \"cellar/x.hpp\" from an unknown room")
plant(${below} "#include \"mailbox/no.hpp\"" "includes \"mailbox/no.hpp\", which does not exist")
plant(${below} "#include \"futex.hpp\"" "includes \"futex.hpp\" without its room")
plant(${below} "#include <${above}>" "includes the private <${above}> in angle brackets")
plant(${below} "#include <sigexc/sigexc.hpp>" "includes the umbrella <sigexc/sigexc.hpp>")
plant(include/sigexc/mask.hpp "#include \"${above}\"" "includes \"${above}\", but a public header")
plant(lib/attic/x.cpp "// lost" "is in no known room")
plant(lib/mailbox/x.cpp "// forgotten" "stands in no CMakeLists.txt")
plant(include/sigexc/x.hpp "// forgotten" "stands in no CMakeLists.txt")
plant(test/mailbox/x_test.cpp "// forgotten" "stands in no CMakeLists.txt")

set(check rules.cmake)
plant(doc/semantics.md "- **Z1** Nobody proves this." "Z1 is cited by no test")
plant(${below} "// As S99 has it." "cites S99, which is no rule")
