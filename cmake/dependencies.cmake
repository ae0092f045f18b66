# Everything comes from Debian's packages; `./dev build` installs them. Nothing is fetched while configuring.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
if(TOKENRAIL_TESTS)
  find_package(GTest REQUIRED)
endif()
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka>=2.0.2)
pkg_check_modules(CJOSE REQUIRED IMPORTED_TARGET cjose>=0.6.2)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares>=1.18.1)
find_library(TOKENRAIL_SOCI_CORE soci_core REQUIRED)
find_library(TOKENRAIL_SOCI_POSTGRESQL soci_postgresql REQUIRED)
find_path(TOKENRAIL_SOCI_INCLUDE soci/soci.h REQUIRED)
# Not by pkg-config, whose -pthread does not go with the precompiled headers.
find_library(TOKENRAIL_RE2 re2 REQUIRED)
find_path(TOKENRAIL_RE2_INCLUDE re2/re2.h REQUIRED)

# The allocator of every program (ADR 0019). The sanitizers bring their own.
option(TOKENRAIL_JEMALLOC "Link the programs to jemalloc instead of the C library's malloc" ON)
if(TOKENRAIL_JEMALLOC AND NOT TOKENRAIL_SANITIZE)
  find_library(TOKENRAIL_JEMALLOC_LIBRARY jemalloc REQUIRED)
endif()

# The layout of simdjson's classes depends on these macros, and without them on whether a file is optimised. Its functions
# are in its header, and the linker keeps one copy for the whole program. So every file has the same values, whether its
# target links the library or not; tokenrail_check_layouts() in the root folder checks that. Threads: as Debian builds it.
set(tokenrail_simdjson_definitions SIMDJSON_THREADS_ENABLED=1 "SIMDJSON_DEVELOPMENT_CHECKS=$<CONFIG:Debug>")
add_compile_definitions(${tokenrail_simdjson_definitions})

add_library(tokenrail_asio INTERFACE)
target_link_libraries(tokenrail_asio INTERFACE Boost::headers Threads::Threads)
# The io_context is single-threaded by design; these keep Asio's headers small and its compile-time surface fixed.
target_compile_definitions(tokenrail_asio INTERFACE BOOST_ASIO_NO_DEPRECATED)

add_library(tokenrail_soci INTERFACE)
target_include_directories(tokenrail_soci SYSTEM INTERFACE ${TOKENRAIL_SOCI_INCLUDE} /usr/include/postgresql)
target_link_libraries(tokenrail_soci INTERFACE ${TOKENRAIL_SOCI_POSTGRESQL} ${TOKENRAIL_SOCI_CORE} pq)
