# What every program has linked into it, tests included. Nothing but under ThreadSanitizer; the file says why.
set(tokenrail_in_every_program "")
if(TOKENRAIL_SANITIZE STREQUAL "thread")
  add_library(tokenrail_c11_threads OBJECT "${CMAKE_CURRENT_LIST_DIR}/c11_threads.cpp")
  target_link_libraries(tokenrail_c11_threads PRIVATE tokenrail_warnings)
  set(tokenrail_in_every_program tokenrail_c11_threads)
endif()

# One static library a module, named after its folder, with its own unit tests under tests/unit/<same path>.
#
#   tokenrail_module(NAME kafka DEPENDS tokenrail_telemetry LIBRARIES PkgConfig::RDKAFKA)
#
# Sources are the .cpp files of the calling folder and below (main.cpp excepted: that is a program's own).
# DEPENDS: modules of ours, visible to users. LIBRARIES: foreign ones, hidden behind our .cpp files. WITHOUT: a folder
# below that is a module of its own.
function(tokenrail_module)
  cmake_parse_arguments(ARG "OPTIMISED_IN_DEBUG" "NAME;WITHOUT" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  if(ARG_WITHOUT)
    list(FILTER sources EXCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/${ARG_WITHOUT}/")
  endif()
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  set(target "tokenrail_${ARG_NAME}")
  add_library(${target} STATIC ${sources})
  tokenrail_unity(${target} ${sources})
  target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PUBLIC fmt::fmt ${ARG_DEPENDS} PRIVATE tokenrail_warnings ${ARG_LIBRARIES})
  if(ARG_OPTIMISED_IN_DEBUG)
    target_compile_options(${target} PRIVATE "$<$<CONFIG:Debug>:-O1>")
  endif()
  if("simdjson::simdjson" IN_LIST ARG_LIBRARIES AND ARG_OPTIMISED_IN_DEBUG)
    tokenrail_precompiled_headers(${target} parsers)
  elseif(NOT ARG_OPTIMISED_IN_DEBUG)
    tokenrail_precompiled_headers(${target} modules)
  endif()

  file(RELATIVE_PATH path "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  set_property(GLOBAL APPEND PROPERTY TOKENRAIL_TESTED_MODULES "${ARG_NAME}:${path}:${ARG_WITHOUT}")
endfunction()

# A program: one main.cpp over modules. Lands in <build>/bin.
#
#   tokenrail_program(NAME tokenrail-router DEPENDS tokenrail_router)
function(tokenrail_program)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  if(NOT ARG_SOURCES)
    set(ARG_SOURCES main.cpp)
  endif()
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_include_directories(${ARG_NAME} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${ARG_NAME} PRIVATE tokenrail_warnings ${tokenrail_in_every_program} ${ARG_DEPENDS} ${ARG_LIBRARIES}
                        ${TOKENRAIL_JEMALLOC_LIBRARY})
endfunction()

# A GoogleTest program over the .cpp files below a folder; each test is known to ctest under its layer as label.
#
#   tokenrail_test_program(NAME conformance-tests LAYER conformance FOLDER ${CMAKE_CURRENT_SOURCE_DIR} SHARDS 4 DEPENDS ...)
function(tokenrail_test_program)
  cmake_parse_arguments(ARG "" "NAME;LAYER;FOLDER;WITHOUT;SHARDS" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${ARG_FOLDER}/*.cpp")
  if(ARG_WITHOUT)
    list(FILTER sources EXCLUDE REGEX "^${ARG_FOLDER}/${ARG_WITHOUT}/")
  endif()
  if(NOT sources)
    return()
  endif()
  add_executable(${ARG_NAME} ${sources})
  tokenrail_unity(${ARG_NAME} ${sources})
  target_include_directories(${ARG_NAME} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(${ARG_NAME} PRIVATE TOKENRAIL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${ARG_NAME} PRIVATE tokenrail_warnings ${tokenrail_in_every_program} ${ARG_DEPENDS}
                        ${ARG_LIBRARIES} GTest::gmock GTest::gtest_main)
  tokenrail_precompiled_headers(${ARG_NAME} tests)
  # One ctest entry a program, not one a test: starting a sanitized binary hundreds of times is what would take long.
  if(NOT ARG_SHARDS)
    add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME} --gtest_brief=1)
    set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LAYER}")
    return()
  endif()
  # A long program runs as several processes side by side. Each needs a report of its own: beside each other they would
  # choose the same name in a folder of reports.
  math(EXPR last_shard "${ARG_SHARDS} - 1")
  foreach(shard RANGE ${last_shard})
    set(name ${ARG_NAME}-${shard})
    add_test(NAME ${name}
      COMMAND sh -c [=[case "$GTEST_OUTPUT" in */) export GTEST_OUTPUT="$GTEST_OUTPUT$1.xml";; esac && exec "$0" --gtest_brief=1]=]
        $<TARGET_FILE:${ARG_NAME}> ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LAYER}"
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${shard}")
  endforeach()
endfunction()
