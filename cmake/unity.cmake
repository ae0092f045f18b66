# Several files compiled as one: a build from nothing takes less time, since what they include and instantiate is read and
# compiled once. A change to one file then compiles its neighbours too, so only the optimised build does it, and every build
# in CI. unity_groups.py keeps files apart that have names of their own in common. Each file is still read alone by
# clang-tidy, and by debug builds outside CI.
#
#   tokenrail_unity(tokenrail_kafka a.cpp b.cpp ...)      in the folder that adds the target
option(TOKENRAIL_UNITY "Compile several source files as one" OFF)

if(TOKENRAIL_UNITY)
  find_package(Python3 COMPONENTS Interpreter)
  if(NOT Python3_FOUND)
    message(STATUS "No Python: each source file is compiled alone")
    set(TOKENRAIL_UNITY OFF)
  endif()
endif()

function(tokenrail_unity target)
  if(NOT TOKENRAIL_UNITY)
    return()
  endif()
  execute_process(COMMAND "${Python3_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/cmake/unity_groups.py" ${ARGN}
                  OUTPUT_VARIABLE lines COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" lines "${lines}")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^([0-9]+) (.*)$" line "${line}")
    set_source_files_properties("${CMAKE_MATCH_2}" PROPERTIES UNITY_GROUP "${target}_${CMAKE_MATCH_1}")
  endforeach()
  # An edit may bring a name that a neighbour has.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN})
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
