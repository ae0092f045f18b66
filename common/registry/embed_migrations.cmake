# Writes a C++ source that holds every migration, so that a binary needs no files beside it.
#   cmake -DOUTPUT=<file.cpp> -DFOLDER=<migrations> -P embed_migrations.cmake
file(GLOB files "${FOLDER}/[0-9][0-9][0-9][0-9]_*.sql")
list(SORT files)
set(entries "")
foreach(file ${files})
  get_filename_component(stem "${file}" NAME_WE)
  string(SUBSTRING "${stem}" 0 4 number)
  string(SUBSTRING "${stem}" 5 -1 name)
  string(REGEX REPLACE "^0+" "" number "${number}")
  file(READ "${file}" sql)
  string(APPEND entries "    Migration{.version = ${number}, .name = \"${name}\", .sql = R\"tokenrail_sql(${sql})tokenrail_sql\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Generated from migrations/*.sql.
#include <array>

#include \"common/registry/migrator.hpp\"

namespace tokenrail::registry {

std::span<const Migration> migrations() {
  static constexpr std::array all{
${entries}  };
  return all;
}

}  // namespace tokenrail::registry
")
