# Fails if the house is not in order:
#
# 1. A file in a room of lib/ includes, of private headers, those of its own room and of rooms below.
# 2. A private header is included as "room/header.hpp", a public one as <sigexc/header.hpp>.
# 3. Public headers are the ground that all rooms stand on: they include public headers only. The
#    library itself does not include the umbrella, which would tie everything to everything.
# 4. Every source file stands in a CMakeLists.txt: what is forgotten there is a test that never runs
#    or a header that is never installed.
#
# cmake -D root=DIR -P house.cmake
cmake_minimum_required(VERSION 3.25)

set(rooms mailbox signal target unwind deliver wait thread process context)  # bottom to top
set(faults "")

function(fault file text)
  set(faults "${faults}  ${file}: ${text}\n" PARENT_SCOPE)
endfunction()

# What `file` includes, as a list of `"x"` and `<x>`.
function(read_includes file result)
  file(STRINGS ${file} lines REGEX "^[ \t]*#[ \t]*include[ \t]*[\"<]")
  list(TRANSFORM lines REPLACE "^[ \t]*#[ \t]*include[ \t]*([\"<][^\">]*[\">]).*" "\\1")
  set(${result} "${lines}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE private RELATIVE ${root}/lib ${root}/lib/*.cpp ${root}/lib/*.hpp ${root}/lib/*.S)
foreach(file IN LISTS private)
  string(REGEX REPLACE "/.*" "" room ${file})
  list(FIND rooms ${room} floor)
  if(floor LESS 0)
    fault(lib/${file} "is in no known room")
    continue()
  endif()
  read_includes(${root}/lib/${file} includes)
  foreach(include IN LISTS includes)
    if(include MATCHES "^\"([^/]*)/.*\"$")
      list(FIND rooms "${CMAKE_MATCH_1}" other)
      string(REPLACE "\"" "" path ${include})
      if(other LESS 0)
        fault(lib/${file} "includes ${include} from an unknown room")
      elseif(other GREATER floor)
        fault(lib/${file} "includes ${include}, which goes up")
      elseif(NOT EXISTS ${root}/lib/${path})
        fault(lib/${file} "includes ${include}, which does not exist")
      endif()
    elseif(include MATCHES "^\"")
      fault(lib/${file} "includes ${include} without its room")
    elseif(include MATCHES "^<(sigexc/.*)>$")
      if(include STREQUAL "<sigexc/sigexc.hpp>")
        fault(lib/${file} "includes the umbrella ${include}")
      elseif(NOT EXISTS ${root}/include/${CMAKE_MATCH_1}
             AND NOT include STREQUAL "<sigexc/export.hpp>")
        fault(lib/${file} "includes ${include}, which does not exist")
      endif()
    elseif(include MATCHES "^<([^/>]*)/" AND CMAKE_MATCH_1 IN_LIST rooms)
      fault(lib/${file} "includes the private ${include} in angle brackets")
    endif()
  endforeach()
endforeach()

file(GLOB_RECURSE public RELATIVE ${root} ${root}/include/*.hpp)
foreach(file IN LISTS public)
  read_includes(${root}/${file} includes)
  foreach(include IN LISTS includes)
    if(include MATCHES "^\"" OR (include MATCHES "^<([^/>]*)/" AND CMAKE_MATCH_1 IN_LIST rooms))
      fault(${file} "includes ${include}, but a public header includes public headers only")
    endif()
  endforeach()
endforeach()

# Whether a CMakeLists.txt in `folder` names `path`, as a word of its own.
function(is_named folder path result)
  set(words "")
  if(EXISTS ${folder}/CMakeLists.txt)
    file(READ ${folder}/CMakeLists.txt text)
    string(REGEX MATCHALL "[^ \n()]+" words "${text}")
  endif()
  list(FIND words "${path}" at)
  if(at LESS 0)
    set(${result} FALSE PARENT_SCOPE)
  else()
    set(${result} TRUE PARENT_SCOPE)
  endif()
endfunction()

file(GLOB_RECURSE sources RELATIVE ${root}
  ${root}/lib/*.cpp ${root}/lib/*.S ${root}/include/*.hpp ${root}/test/*_test.cpp)
foreach(file IN LISTS sources)
  get_filename_component(folder ${file} DIRECTORY)
  get_filename_component(name ${file} NAME)
  if(file MATCHES "^include/")
    is_named(${root}/lib "\${PROJECT_SOURCE_DIR}/${file}" has_place)
    if(NOT has_place)  # the other library's
      is_named(${root}/lib/context "\${PROJECT_SOURCE_DIR}/${file}" has_place)
    endif()
  else()  # in the list of its folder, or of the tree
    is_named(${root}/${folder} ${name} has_place)
    if(NOT has_place)
      string(REGEX REPLACE "^([^/]*)/(.*)$" "\\2" path ${file})
      is_named(${root}/${CMAKE_MATCH_1} ${path} has_place)
    endif()
  endif()
  if(NOT has_place)
    fault(${file} "stands in no CMakeLists.txt")
  endif()
endforeach()

list(LENGTH private count)
if(count EQUAL 0)
  fault(lib "has no files: wrong root?")
endif()
if(faults)
  message(FATAL_ERROR "The house is not in order:\n${faults}")
endif()
message(STATUS "${count} files in lib/: the house is in order")
