# g++ before 13 miscompiles coroutines (double frees and crashes in small Asio programs), so a build with it would
# pass here and fail in production. Refuse early, and say what to install.
set(_tokenrail_compiler_advice
  "Install clang 19 (Debian 12: apt-get install clang-19 lld-19 libclang-rt-19-dev) and configure with a preset "
  "(cmake --preset dev), or let ./dev build do both.")

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR "g++ ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines. " ${_tokenrail_compiler_advice})
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "clang ${CMAKE_CXX_COMPILER_VERSION} is too old for this C++23 code. " ${_tokenrail_compiler_advice})
elseif(NOT CMAKE_CXX_COMPILER_ID MATCHES "^(GNU|Clang)$")
  message(FATAL_ERROR "${CMAKE_CXX_COMPILER_ID} has not been tried with this project. " ${_tokenrail_compiler_advice})
endif()
