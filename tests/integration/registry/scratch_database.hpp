// A database of its own for one test, made in the cluster that TOKENRAIL_TEST_DATABASE_URL names and dropped at the
// end.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <unistd.h>

#include "common/registry/database.hpp"
#include "common/registry/migrator.hpp"

namespace tokenrail::registry {

class Sql {
 public:
  explicit Sql(const std::string& url) : connection_(PQconnectdb(url.c_str()), &PQfinish) {
    EXPECT_EQ(PQstatus(connection_.get()), CONNECTION_OK) << PQerrorMessage(connection_.get());
    static_cast<void>(run("SET client_min_messages = error"));
  }

  /// The first column of the first row; rows of a command are empty text. An error is a failure of the test.
  std::string run(const std::string& statement) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), statement.c_str()), &PQclear);
    const auto status = PQresultStatus(result.get());
    EXPECT_TRUE(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        << statement << ": " << PQerrorMessage(connection_.get());
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : std::string();
  }
  /// Empty: it went well; otherwise the SQLSTATE.
  std::string refusal(const std::string& statement) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), statement.c_str()), &PQclear);
    const auto* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    return state == nullptr ? std::string() : state;
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

class ScratchDatabase : public testing::Test {
 protected:
  void SetUp() override {
    const char* cluster = std::getenv("TOKENRAIL_TEST_DATABASE_URL");
    if (cluster == nullptr)
      GTEST_SKIP() << "TOKENRAIL_TEST_DATABASE_URL is not set (`./dev postgres start` prints a URL to set it to)";
    cluster_ = cluster;
    static int count = 0;
    name_ = "tokenrail_test_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
    Sql(cluster_).run("CREATE DATABASE " + name_);
    options_ = {.url = with_database(cluster_, name_), .application = "tokenrail-tests"};
  }
  void TearDown() override {
    if (!name_.empty()) Sql(cluster_).run("DROP DATABASE " + name_ + " WITH (FORCE)");
  }

  /// The URL with another database's name in its path.
  static std::string with_database(const std::string& url, const std::string& name) {
    const auto query = url.find('?');
    const auto authority = url.find("//") + 2;
    const auto path = url.find('/', authority);
    const auto end = std::min({path, query, url.size()});
    return url.substr(0, end) + "/" + name + (query == std::string::npos ? "" : url.substr(query));
  }

  [[nodiscard]] Sql sql() const { return Sql(options_.url); }

  std::string cluster_;
  std::string name_;
  DatabaseOptions options_;
};

}  // namespace tokenrail::registry
