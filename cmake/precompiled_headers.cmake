# The headers that nearly every file includes, parsed once a build folder: a quarter of the time of a cold build. In debug
# builds only, where sanitizers slow the compiler down. clang-tidy reads each file with nothing but what it includes
# itself, so no include can be forgotten unseen.
#
#   tokenrail_precompiled_headers(unit-kafka-tests tests)
function(tokenrail_precompiled_headers target set)
  if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_precompile_headers(${target} REUSE_FROM tokenrail_precompiled_${set})
  endif()
endfunction()

if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  return()
endif()

# A date in the precompiled file would make each build's objects strangers to the compiler cache.
add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/precompiled.cpp" CONTENT "")

# tokenrail_precompiled_set(NAME tests LIBRARIES GTest::gmock HEADERS <gtest/gtest.h>): beside the standard library's.
function(tokenrail_precompiled_set)
  cmake_parse_arguments(ARG "" "NAME" "LIBRARIES;OPTIONS;HEADERS" ${ARGN})
  set(target "tokenrail_precompiled_${ARG_NAME}")
  add_library(${target} OBJECT "${CMAKE_BINARY_DIR}/precompiled.cpp")
  target_link_libraries(${target} PRIVATE tokenrail_warnings fmt::fmt ${ARG_LIBRARIES})
  target_compile_options(${target} PRIVATE ${ARG_OPTIONS})
  target_precompile_headers(${target} PRIVATE
    <algorithm> <array> <charconv> <chrono> <cstdint> <deque> <expected> <functional> <map> <memory> <optional> <random>
    <ranges> <set> <span> <string> <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h>
    ${ARG_HEADERS})
  # It names its folder, so that another clone's out of the cache would not do.
  set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER "")
endfunction()

tokenrail_precompiled_set(NAME modules)
tokenrail_precompiled_set(NAME parsers LIBRARIES simdjson::simdjson OPTIONS -O1 HEADERS <simdjson.h>)
if(TOKENRAIL_TESTS)
  tokenrail_precompiled_set(NAME tests LIBRARIES GTest::gmock HEADERS <gmock/gmock.h> <gtest/gtest.h>)
endif()
