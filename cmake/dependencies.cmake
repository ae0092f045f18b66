# Everything comes from Debian's packages; `./dev build` installs them. Nothing is fetched while configuring.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(CURL 7.88 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(tomlplusplus REQUIRED)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka>=2.0.2)
find_library(TOKENRAIL_SOCI_CORE soci_core REQUIRED)
find_library(TOKENRAIL_SOCI_POSTGRESQL soci_postgresql REQUIRED)
find_path(TOKENRAIL_SOCI_INCLUDE soci/soci.h REQUIRED)

add_library(tokenrail_asio INTERFACE)
target_link_libraries(tokenrail_asio INTERFACE Boost::headers Threads::Threads)
# The io_context is single-threaded by design; these keep Asio's headers small and its compile-time surface fixed.
target_compile_definitions(tokenrail_asio INTERFACE BOOST_ASIO_NO_DEPRECATED)

add_library(tokenrail_soci INTERFACE)
target_include_directories(tokenrail_soci SYSTEM INTERFACE ${TOKENRAIL_SOCI_INCLUDE} /usr/include/postgresql)
target_link_libraries(tokenrail_soci INTERFACE ${TOKENRAIL_SOCI_POSTGRESQL} ${TOKENRAIL_SOCI_CORE} pq)
