#include "common/registry/database.hpp"

#include <gtest/gtest.h>

namespace tokenrail::registry {
namespace {

// As PostgreSQL 15 and its libpq say it.
TEST(Database, FindsRefusedPartInServersWords) {
  struct Row {
    const char* text;
    std::optional<std::string_view> part;
  };
  const std::string at = R"(connection to server at "127.0.0.1", port 5432 failed: )";
  for (const auto& row : {
           Row{R"(FATAL:  role "u" does not exist)", "user"},
           Row{R"(FATAL:  database "nodb" does not exist)", "database"},
           Row{R"(FATAL:  password authentication failed for user "u")", "user or the password"},
           Row{R"(FATAL:  Peer authentication failed for user "u")", "user or the password"},
           Row{"fe_sendauth: no password supplied", "user or the password"},
           Row{R"(FATAL:  role "u" is not permitted to log in)", "user"},
           Row{R"(FATAL:  permission denied for database "x")", "user or the database"},
           Row{R"(FATAL:  no pg_hba.conf entry for host "::1", user "u", database "x", no encryption)",
               "user or the database"},
           Row{"FATAL:  the database system is starting up", std::nullopt},
           Row{"FATAL:  sorry, too many clients already", std::nullopt},
           Row{R"(FATAL:  database "x" is not currently accepting connections)", std::nullopt},
           Row{"Connection refused Is the server running on that host and accepting TCP/IP connections?", std::nullopt},
           Row{R"(could not translate host name "role "u" does not exist")", std::nullopt},
       })
    EXPECT_EQ(refused_part(at + row.text), row.part) << row.text;
  EXPECT_EQ(refused_part(""), std::nullopt);
}

}  // namespace
}  // namespace tokenrail::registry
