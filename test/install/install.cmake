# Installs the library from `build` to `first`, moves that to `prefix`, and fails if something is
# missing there or remembers where it was.
#
# cmake -D build=DIR -D first=DIR -D prefix=DIR -D libdir=NAME -P install.cmake
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE ${first} ${prefix})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${build} --prefix ${first}
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${first} ${prefix})

foreach(file IN ITEMS
    include/sigexc/sigexc.hpp
    include/sigexc/export.hpp
    include/sigexc/detail/current.hpp
    ${libdir}/libsigexc.so
    ${libdir}/libsigexc.so.0
    ${libdir}/cmake/sigexc/sigexc-config.cmake
    ${libdir}/cmake/sigexc/sigexc-config-version.cmake
    ${libdir}/pkgconfig/sigexc.pc)
  if(NOT EXISTS ${prefix}/${file})
    message(SEND_ERROR "not installed: ${file}")
  endif()
endforeach()

file(GLOB_RECURSE texts ${prefix}/*.cmake ${prefix}/*.pc ${prefix}/*.hpp)
foreach(file IN LISTS texts)
  file(READ ${file} text)
  foreach(path IN ITEMS ${build} ${first})
    string(FIND "${text}" "${path}" at)
    if(NOT at LESS 0)
      message(SEND_ERROR "${file} remembers ${path}")
    endif()
  endforeach()
endforeach()
