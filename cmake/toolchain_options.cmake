set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(TOKENRAIL_CCACHE ccache)
if(TOKENRAIL_CCACHE)
  # Without folders in the hash, build folders and clones share what they compile (optimised: what is debugged has
  # precompiled headers, which name their folder). What is sloppy is what ccache wants for
  # precompiled headers, whose contents it hashes all the same.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" "${TOKENRAIL_CCACHE}")
endif()

# mold halves the link time of the sanitizer builds; lld is the next best; the default linker works too.
find_program(TOKENRAIL_MOLD mold)
find_program(TOKENRAIL_LLD ld.lld-19)
if(TOKENRAIL_MOLD)
  add_link_options("-fuse-ld=${TOKENRAIL_MOLD}")
elseif(TOKENRAIL_LLD)
  add_link_options("-fuse-ld=${TOKENRAIL_LLD}")
endif()

set(TOKENRAIL_SANITIZE "" CACHE STRING "Sanitizers to build with, as for -fsanitize= (empty: none)")
if(TOKENRAIL_SANITIZE)
  add_compile_options(-fsanitize=${TOKENRAIL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TOKENRAIL_SANITIZE})
endif()

add_library(tokenrail_warnings INTERFACE)
target_compile_options(tokenrail_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Werror)
# In files compiled as one, a local name may hide what a neighbour has for itself.
if(TOKENRAIL_UNITY)
  target_compile_options(tokenrail_warnings INTERFACE -Wno-shadow)
endif()
