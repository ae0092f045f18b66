#include "common/config/notation.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tokenrail::config {
namespace {

TEST(Notation, Durations) {
  const std::pair<const char*, std::optional<std::int64_t>> rows[] = {
      {"0", 0},
      {"00", 0},
      {"0ms", 0},
      {"1", std::nullopt},
      {"250", std::nullopt},
      {"250ms", 250},
      {"10s", 10'000},
      {"5m", 300'000},
      {"2h", 7'200'000},
      {"", std::nullopt},
      {"s", std::nullopt},
      {"-1s", std::nullopt},
      {"1.5s", std::nullopt},
      {"1 s", std::nullopt},
      {"1S", std::nullopt},
      {"1d", std::nullopt},
      {"9223372036854775807ms", 9'223'372'036'854'775'807},
      {"9223372036854775808ms", std::nullopt},
      {"9223372036854775s", 9'223'372'036'854'775'000},
      {"9223372036854776s", std::nullopt},
      {"9223372036854775807h", std::nullopt},
      {"9223372036854775808", std::nullopt},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(parse_duration_ms(text), expected) << text;
}

TEST(Notation, Bytes) {
  const std::pair<const char*, std::optional<std::int64_t>> rows[] = {
      {"0", 0},
      {"1", std::nullopt},
      {"100", std::nullopt},
      {"100B", 100},
      {"64KiB", 65'536},
      {"8MiB", 8'388'608},
      {"1GiB", 1'073'741'824},
      {"64KB", std::nullopt},
      {"64kib", std::nullopt},
      {"-1", std::nullopt},
      {"8589934591GiB", 9'223'372'035'781'033'984},
      {"8589934592GiB", std::nullopt},
      {"9223372036854775807GiB", std::nullopt},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(parse_bytes(text), expected) << text;
}

TEST(Notation, TextsAreInTheLargestWholeUnit) {
  const std::pair<std::int64_t, const char*> durations[] = {{0, "0s"},        {1, "1ms"},       {500, "500ms"},
                                                            {5'000, "5s"},    {60'000, "1m"},   {90'000, "90s"},
                                                            {900'000, "15m"}, {7'200'000, "2h"}};
  for (const auto& [ms, text] : durations) {
    EXPECT_EQ(duration_text(ms), text);
    EXPECT_EQ(parse_duration_ms(text), ms);
  }
  const std::pair<std::int64_t, const char*> sizes[] = {
      {0, "0B"}, {1'000, "1000B"}, {2'048, "2KiB"}, {921'600, "900KiB"}, {1LL << 30, "1GiB"}};
  for (const auto& [bytes, text] : sizes) {
    EXPECT_EQ(bytes_text(bytes), text);
    EXPECT_EQ(parse_bytes(text), bytes);
  }
}

TEST(Notation, ABareNumberNeedsAUnit) {
  EXPECT_EQ(missing_unit(Kind::duration, "60"), "write a unit, for example 60s or 60ms");
  EXPECT_EQ(missing_unit(Kind::bytes, "64"), "write a unit, for example 64KiB or 64B");
  for (const char* text : {"", "60s", "6 0", "-60", "x"}) EXPECT_EQ(missing_unit(Kind::duration, text), "") << text;
  EXPECT_EQ(missing_unit(Kind::integer, "60"), "");
}

TEST(Notation, Lists) {
  EXPECT_EQ(parse_list(""), std::vector<std::string>{});
  EXPECT_EQ(parse_list(" a, b b ,,c "), (std::vector<std::string>{"a", "b b", "c"}));
}

TEST(Notation, ChecksValuesOfEachKind) {
  struct Row {
    Setting setting;
    const char* value;
    bool fits;
  };
  const Setting port{.name = "p", .kind = Kind::integer, .default_value = "1", .min = 1, .max = 10};
  const Setting wait{.name = "w", .kind = Kind::duration, .default_value = "1s", .min = 100, .max = 60'000};
  const Setting size{.name = "s", .kind = Kind::bytes, .default_value = "1KiB", .max = 4'096};
  const Setting flag{.name = "f", .kind = Kind::boolean, .default_value = "true"};
  const Setting pick{.name = "c", .kind = Kind::choice, .default_value = "a", .choices = "a|bc"};
  const Setting url{.name = "u", .kind = Kind::url, .default_value = "http://x"};
  const Setting database{.name = "d", .kind = Kind::secret_url, .default_value = "postgresql://x/y"};
  const Setting prefix{.name = "t", .kind = Kind::topic_prefix, .default_value = ""};
  const Row rows[] = {
      {prefix, "", true},
      {prefix, "eu-1.Test_", true},
      {prefix, "eu ", false},
      {prefix, "eu/", false},
      {prefix, "é", false},
      {port, "1", true},
      {port, "10", true},
      {port, "0", false},
      {port, "11", false},
      {port, "1x", false},
      {port, " 1", false},
      {port, "", false},
      {port, "+1", false},
      {wait, "100ms", true},
      {wait, "99ms", false},
      {wait, "100", false},  // no unit
      {wait, "0", false},
      {wait, "1m", true},
      {wait, "60000ms", true},
      {wait, "60001ms", false},
      {size, "0", true},
      {size, "4KiB", true},
      {size, "4096B", true},
      {size, "4096", false},
      {size, "4097B", false},
      {flag, "false", true},
      {flag, "yes", false},
      {flag, "TRUE", false},
      {pick, "bc", true},
      {pick, "b", false},
      {pick, "a|bc", false},
      {url, "https://h.example/p?q", true},
      {url, "http://[::1]:80", true},
      {url, "ftp://h", false},
      {url, "http://", false},
      {url, "http:///path", false},
      {url, "http://h:0", false},
      {url, "http://h:1", true},
      {url, "http://h:65535", true},
      {url, "http://h:65536", false},
      {url, "http://me:hush@h", false},
      {url, "http://me@h:80/p", false},
      {url, "http://@h", false},
      {url, "http://h/@p", false},  // nor does the database take it
      {url, "http://h/%40p", true},
      {url, "http://h:99999", false},
      {url, "http://a b", false},
      {url, "localhost:11434", false},
      {database, "postgresql:///local", true},
      {database, "db.example", false},
  };
  for (const Row& row : rows) EXPECT_EQ(fits(row.setting, row.value), row.fits) << row.setting.name << "=" << row.value;
}

TEST(Notation, TopicPrefixLeavesRoomForLongestName) {
  const Setting prefix{.name = "t", .kind = Kind::topic_prefix, .default_value = ""};
  const std::string longest = "model_registry.credentials";
  EXPECT_EQ(topic_prefix_bytes_max + longest.size(), 249U);
  EXPECT_TRUE(fits(prefix, std::string(topic_prefix_bytes_max, 'x')));
  EXPECT_FALSE(fits(prefix, std::string(topic_prefix_bytes_max + 1, 'x')));
}

TEST(Notation, EmptyFitsWhatHasNoDefault) {
  EXPECT_TRUE(fits({.name = "a", .kind = Kind::integer}, ""));
  EXPECT_TRUE(fits({.name = "a", .kind = Kind::text, .default_value = "x"}, ""));
  EXPECT_FALSE(fits({.name = "a", .kind = Kind::url, .default_value = "http://x"}, ""));
}

TEST(Notation, ShowsValuesWithoutSecrets) {
  const Setting secret{.name = "s", .kind = Kind::secret};
  const Setting database{.name = "d", .kind = Kind::secret_url};
  const Setting url{.name = "u", .kind = Kind::url};
  struct Row {
    Setting setting;
    const char* value;
    const char* shown;
  };
  const Row rows[] = {
      {secret, "hush", "********"},
      {secret, "", ""},
      {database, "postgresql://me:hush@db:5432/x", "postgresql://me:********@db:5432/x"},
      {database, "postgresql://me:hu@sh@db/x", "postgresql://me:********@db/x"},
      {database, "postgresql://me@db/x", "postgresql://me@db/x"},
      {database, "postgresql://db/x?password=hush&sslmode=require",
       "postgresql://db/x?password=********&sslmode=require"},
      {database, "hush", "********"},
      {url, "http://me:hush@host/", "http://********@host/"},
      {url, "http://hush@host/", "http://********@host/"},
      {url, "http://hush:@host/", "http://********@host/"},
      {url, "http://host/", "http://host/"},
      {url, "me:hush@host", "********"},
  };
  for (const Row& row : rows) EXPECT_EQ(shown(row.setting, row.value), row.shown) << row.value;
}

TEST(Notation, SecretProperties) {
  for (const char* name :
       {"sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem", "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config", "sasl.oauthbearer.assertion.private.key.passphrase",
        "sasl.oauthbearer.assertion.private.key.pem"}) {
    EXPECT_TRUE(is_secret_property(name)) << name;
  }
  for (const char* name : {"sasl.username", "security.protocol", "ssl.certificate.pem", "sasl.oauthbearer.client.id"}) {
    EXPECT_FALSE(is_secret_property(name)) << name;
  }
}

TEST(Notation, TomlStrings) {
  EXPECT_EQ(toml_string("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(toml_string("a\nb\x7f"), "\"a\\u000Ab\\u007F\"");
}

TEST(Notation, EnvironmentNames) {
  EXPECT_EQ(environment_name({.name = "router.in_flight_max"}), "TOKENRAIL_ROUTER_IN_FLIGHT_MAX");
  EXPECT_EQ(environment_name({.name = "ollama.base_url", .env = "OLLAMA_BASE_URL"}), "OLLAMA_BASE_URL");
}

TEST(Notation, DescribesAllowedValues) {
  EXPECT_EQ(allowed({.name = "a", .kind = Kind::duration, .min = 0, .max = 3'600'000}),
            "a duration such as 250ms, 10s, 5m or 2h, from 0ms to 1h");
  EXPECT_EQ(allowed({.name = "a", .kind = Kind::bytes, .min = 65'536}),
            "a size such as 64KiB, 8MiB or 1GiB, at least 64KiB");
  EXPECT_EQ(allowed({.name = "a", .kind = Kind::choice, .choices = "x|y"}), "one of x, y");
  EXPECT_EQ(allowed({.name = "a", .kind = Kind::topic_prefix}),
            "at most 223 letters, digits, '.', '_' and '-', because Kafka takes nothing else in a topic's name");
}

}  // namespace
}  // namespace tokenrail::config
