#include <array>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/settings.hpp"

namespace tokenrail::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::array table{
    Setting{.name = "kafka.bootstrap_servers", .default_value = "127.0.0.1:9092"},
    Setting{.name = "log.level", .kind = Kind::choice, .default_value = "info", .choices = "debug|info|warn"},
    Setting{.name = "database.url", .kind = Kind::secret_url, .default_value = "postgresql://me@db/x"},
    Setting{.name = "router.in_flight_max", .kind = Kind::integer, .default_value = "100", .min = 1, .max = 10'000},
    Setting{.name = "router.drain_deadline", .kind = Kind::duration, .default_value = "30s"},
    Setting{.name = "router.request_bytes_max", .kind = Kind::bytes, .default_value = "8MiB"},
    Setting{.name = "router.claim", .kind = Kind::boolean, .default_value = "false"},
    Setting{.name = "router.reply_topics", .kind = Kind::list},
    Setting{.name = "router.token", .kind = Kind::secret},
    Setting{.name = "router.proxy", .kind = Kind::url},
    Setting{.name = "ollama.base_url",
            .env = "OLLAMA_BASE_URL",
            .kind = Kind::url,
            .default_value = "http://localhost:11434"},
};

Sources sources() {
  return {.settings = table, .arguments = {}, .environment = {}, .file_text = {}, .file_name = "t.toml"};
}

Values values_of(const Sources& from) {
  auto loaded = load(from);
  EXPECT_TRUE(loaded) << loaded.error().detail;
  return loaded ? loaded->values : Values{};
}

std::string error_of(const Sources& from) {
  const auto loaded = load(from);
  EXPECT_FALSE(loaded) << "should not have loaded";
  if (loaded) return {};
  EXPECT_EQ(loaded.error().kind, ErrorKind::invalid_input);
  return loaded.error().detail;
}

TEST(Load, DefaultsHold) {
  const Values values = values_of(sources());
  EXPECT_EQ(values.text("kafka.bootstrap_servers"), "127.0.0.1:9092");
  EXPECT_EQ(values.integer("router.in_flight_max"), 100);
  EXPECT_EQ(values.duration("router.drain_deadline"), std::chrono::seconds(30));
  EXPECT_EQ(values.bytes("router.request_bytes_max"), 8 << 20);
  EXPECT_FALSE(values.boolean("router.claim"));
  EXPECT_THAT(values.list("router.reply_topics"), IsEmpty());
  EXPECT_FALSE(values.is_set("router.proxy"));
  EXPECT_EQ(values.source("log.level"), Source::default_value);
}

TEST(Load, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  Sources from = sources();
  from.file_text = "[router]\nin_flight_max = 2\ndrain_deadline = \"2s\"\nclaim = true\n";
  EXPECT_EQ(values_of(from).integer("router.in_flight_max"), 2);
  EXPECT_EQ(values_of(from).source("router.in_flight_max"), Source::file);
  from.environment = {{"TOKENRAIL_ROUTER_IN_FLIGHT_MAX", "3"}};
  EXPECT_EQ(values_of(from).integer("router.in_flight_max"), 3);
  EXPECT_EQ(values_of(from).source("router.in_flight_max"), Source::environment);
  from.arguments = {"--router.in-flight-max", "4"};
  EXPECT_EQ(values_of(from).integer("router.in_flight_max"), 4);
  EXPECT_EQ(values_of(from).source("router.in_flight_max"), Source::flag);
  EXPECT_EQ(values_of(from).duration("router.drain_deadline"), std::chrono::seconds(2)) << "the file's, still";
  EXPECT_TRUE(values_of(from).boolean("router.claim"));
}

TEST(Load, FormsOfAFlag) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--router.in-flight-max", "7"}, {"--router.in-flight-max=7"}, {"--router.in_flight_max=7"}}) {
    Sources from = sources();
    from.arguments = arguments;
    EXPECT_EQ(values_of(from).integer("router.in_flight_max"), 7);
  }
  Sources from = sources();
  from.arguments = {"--router.claim", "--router.token=a=b"};
  EXPECT_TRUE(values_of(from).boolean("router.claim")) << "a boolean flag alone says true";
  EXPECT_EQ(values_of(from).text("router.token"), "a=b");
  from.arguments = {"--router.claim", "false"};
  EXPECT_FALSE(values_of(from).boolean("router.claim"));
  from.arguments = {"--log.level"};
  EXPECT_THAT(error_of(from), HasSubstr("--log.level needs a value"));
}

TEST(Load, ReadsCommandLineAndKeepsTheRest) {
  Sources from = sources();
  from.arguments = {"one", "--print-config", "--config", "f.toml", "--log.level", "warn", "-", "--", "--two"};
  const auto loaded = load(from);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_TRUE(loaded->invocation.print_config);
  EXPECT_FALSE(loaded->invocation.help);
  EXPECT_THAT(loaded->invocation.rest, ElementsAre("one", "-", "--two"));
}

TEST(Load, UnknownFlagsAreErrorsOrStay) {
  Sources from = sources();
  from.arguments = {"--router.inflight-max=1"};
  EXPECT_THAT(error_of(from),
              AllOf(HasSubstr("'--router.inflight-max'"), HasSubstr("did you mean --router.in-flight-max?")));
  from.arguments = {"--kafka.bootstrap-server=h:1"};
  EXPECT_THAT(error_of(from), HasSubstr("did you mean --kafka.bootstrap-servers?")) << "no property of librdkafka's";
  from.strict_flags = false;
  from.arguments = {"chat", "--model", "x", "-m", "--log.level=warn"};
  const auto loaded = load(from);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_THAT(loaded->invocation.rest, ElementsAre("chat", "--model", "x", "-m"));
  EXPECT_EQ(loaded->values.text("log.level"), "warn");
}

TEST(Load, WrongValueNamesSettingOriginAndAllowedValues) {
  Sources from = sources();
  from.environment = {{"TOKENRAIL_ROUTER_IN_FLIGHT_MAX", "0"}};
  EXPECT_THAT(error_of(from), AllOf(HasSubstr("router.in_flight_max"), HasSubstr("'0'"),
                                    HasSubstr("environment TOKENRAIL_ROUTER_IN_FLIGHT_MAX"),
                                    HasSubstr("a whole number, from 1 to 10000")));
  from = sources();
  from.file_text = "\n[log]\nlevel = \"loud\"\n";
  EXPECT_THAT(error_of(from), AllOf(HasSubstr("log.level"), HasSubstr("'loud'"), HasSubstr("t.toml, line 3"),
                                    HasSubstr("one of debug, info, warn")));
}

TEST(Load, ABareNumberIsRefusedFromEverySource) {
  Sources environment = sources();
  environment.environment = {{"TOKENRAIL_ROUTER_DRAIN_DEADLINE", "60"}};
  EXPECT_EQ(error_of(environment),
            "router.drain_deadline is 60 (environment TOKENRAIL_ROUTER_DRAIN_DEADLINE): write a unit, for example 60s "
            "or 60ms");
  Sources flag = sources();
  flag.arguments = {"--router.request-bytes-max=4096"};
  EXPECT_THAT(error_of(flag), AllOf(HasSubstr("router.request_bytes_max is 4096 (flag"),
                                    HasSubstr("write a unit, for example 4096KiB or 4096B")));
  for (const char* text : {"[router]\ndrain_deadline = 60\n", "[router]\ndrain_deadline = \"60\"\n"}) {
    Sources file = sources();
    file.file_text = text;
    EXPECT_THAT(error_of(file),
                AllOf(HasSubstr("router.drain_deadline is 60 (t.toml, line 2)"), HasSubstr("write a unit")));
  }
}

TEST(Load, ZeroNeedsNoUnit) {
  Sources from = sources();
  from.file_text = "[router]\nrequest_bytes_max = 0\n";
  from.environment = {{"TOKENRAIL_ROUTER_DRAIN_DEADLINE", "0"}};
  EXPECT_EQ(values_of(from).duration("router.drain_deadline"), std::chrono::milliseconds(0));
  EXPECT_EQ(values_of(from).bytes("router.request_bytes_max"), 0);
}

TEST(Load, AKafkaPropertyKeepsItsBareNumber) {
  Sources from = sources();
  from.environment = {{"TOKENRAIL_KAFKA_SESSION_TIMEOUT_MS", "6000"}};
  EXPECT_EQ(values_of(from).kafka_properties().at("session.timeout.ms"), "6000");
}

TEST(Load, BorrowedSettingLeavesItsSectionAlone) {
  constexpr std::array borrowing{
      Setting{.name = "topics.partitions", .kind = Kind::integer, .default_value = "12"},
      Setting{.name = "router.record_bytes_max", .kind = Kind::bytes, .default_value = "900KiB", .borrowed = true},
  };
  Sources from = sources();
  from.settings = borrowing;
  from.environment = {{"TOKENRAIL_ROUTER_RECORD_BYTES_MAX", "1MiB"}, {"TOKENRAIL_ROUTER_IN_FLIGHT_MAX", "5"}};
  from.file_text = "[router]\nlease = \"5s\"\n";
  const auto loaded = load(from);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->values.bytes("router.record_bytes_max"), 1 << 20);
  EXPECT_THAT(loaded->warnings, IsEmpty());
  from.environment = {{"TOKENRAIL_TOPICS_PARTITION_COUNT", "5"}};
  EXPECT_THAT(error_of(from), HasSubstr("TOKENRAIL_TOPICS_PARTITION_COUNT")) << "its own section it knows whole";
}

TEST(Load, ReportsAllMistakesAtOnce) {
  Sources from = sources();
  from.arguments = {"--log.level=loud", "--router.in-flight-max=none"};
  EXPECT_THAT(error_of(from), AllOf(HasSubstr("log.level"), HasSubstr("router.in_flight_max")));
}

TEST(Load, ErrorsHoldNoSecret) {
  Sources from = sources();
  from.environment = {{"TOKENRAIL_DATABASE_URL", "me:hush@db"}, {"TOKENRAIL_ROUTER_PROXY", "ftp://me:hush@h"}};
  EXPECT_THAT(error_of(from), AllOf(HasSubstr("database.url"), HasSubstr("router.proxy"), Not(HasSubstr("hush"))));
}

TEST(Load, RefusesCredentialsInHttpUrl) {
  Sources from = sources();
  from.environment = {{"OLLAMA_BASE_URL", "http://ann:hush@host:11434"}};
  EXPECT_THAT(error_of(from), AllOf(HasSubstr("OLLAMA_BASE_URL"), HasSubstr("http://********@host:11434"),
                                    HasSubstr("leave out the part before the @"), Not(HasSubstr("hush"))));
  from.environment = {{"OLLAMA_BASE_URL", "http://host/@v1"}};
  EXPECT_THAT(error_of(from), HasSubstr("write an @ of its path as %40"));
}

TEST(Load, HelpIsGivenWhateverElseIsWrong) {
  Sources from = sources();
  from.arguments = {"--log.level=loud", "--help"};
  const auto loaded = load(from);
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->invocation.help);
}

TEST(Load, TypingMistakesInTheFileDoNotPass) {
  Sources from = sources();
  from.file_text = "[router]\nin_flght_max = 1\n";
  EXPECT_THAT(error_of(from), AllOf(HasSubstr("router.in_flght_max"), HasSubstr("did you mean router.in_flight_max?")));
  from.file_text = "[router]\nsomething_else_entirely = 1\n";
  EXPECT_THAT(error_of(from), HasSubstr("router.something_else_entirely")) << "a section of ours, all of it is known";
  from.file_text = "[lgo]\nlevel = \"info\"\n";
  EXPECT_THAT(error_of(from), HasSubstr("did you mean log.level?"));
  from.file_text = "[kafka]\nbootstrap_server = \"x\"\n";
  EXPECT_THAT(error_of(from), HasSubstr("did you mean kafka.bootstrap_servers?"));
  from.file_text = "[router\n";
  EXPECT_THAT(error_of(from), HasSubstr("t.toml, line 1"));
}

// Two wrong letters are a typing mistake, three are another word; a name of fewer than eight letters has room for one.
TEST(Load, ATypingMistakeIsWithinTwoLetters) {
  constexpr std::array known{
      Setting{.name = "ab.cdefg", .default_value = "x"},
      Setting{.name = "pq.rst", .default_value = "x"},
  };
  Sources from = sources();
  from.settings = known;
  const auto passes = [&](const std::string& file) {
    from.file_text = file;
    return load(from).has_value();
  };
  // Sections that belong to no program, so that only the distance decides.
  EXPECT_FALSE(passes("[xx]\ncdefg = 1\n")) << "two letters of eight";
  EXPECT_TRUE(passes("[xx]\nydefg = 1\n")) << "three of eight";
  EXPECT_FALSE(passes("[px]\nrst = 1\n")) << "one of six";
  EXPECT_TRUE(passes("[xx]\nrst = 1\n")) << "two of six";
}

TEST(Load, ShowsLongValueUpToItsBound) {
  Sources from = sources();
  from.environment = {{"TOKENRAIL_LOG_LEVEL", std::string(120, 'x')}};
  EXPECT_THAT(error_of(from), HasSubstr("'" + std::string(120, 'x') + "'"));
  from.environment = {{"TOKENRAIL_LOG_LEVEL", std::string(121, 'x')}};
  EXPECT_THAT(error_of(from), HasSubstr("'" + std::string(120, 'x') + "…'"));
}

TEST(Load, TakesBoundsAndRefusesMore) {
  const auto fits_in = [](const char* value) {
    Sources from = sources();
    from.environment = {{"TOKENRAIL_ROUTER_IN_FLIGHT_MAX", value}};
    return load(from).has_value();
  };
  EXPECT_TRUE(fits_in("1"));
  EXPECT_TRUE(fits_in("10000"));
  EXPECT_FALSE(fits_in("0"));
  EXPECT_FALSE(fits_in("10001"));
}

TEST(Load, TypingMistakesInTheEnvironmentDoNotPass) {
  Sources from = sources();
  from.environment = {{"TOKENRAIL_LOG_LEVLE", "info"}};
  EXPECT_THAT(error_of(from), HasSubstr("did you mean TOKENRAIL_LOG_LEVEL?"));
  from.environment = {{"TOKENRAIL_ROUTER_SOMETHING_ELSE", "1"}};
  EXPECT_THAT(error_of(from), HasSubstr("TOKENRAIL_ROUTER_SOMETHING_ELSE"));
}

TEST(Load, IgnoresSettingsOfOtherPrograms) {
  Sources from = sources();
  from.environment = {{"TOKENRAIL_SYNC_INTERVAL", "5m"},   {"TOKENRAIL_TOPICS_PARTITIONS", "4"},
                      {"TOKENRAIL_AUDIT_CONTENT", "none"}, {"TOKENRAIL_KEYRING", "x"},
                      {"TOKENRAIL_KEYRING_FILE", "/x"},    {"TOKENRAIL_SYNC_SOMETHING_THAT_ONLY_IT_CAN_JUDGE", "x"}};
  from.file_text = "[sync]\ninterval = \"7d\"\n";
  const auto loaded = load(from);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_THAT(loaded->warnings, IsEmpty());

  from = sources();
  from.arguments = {"--sync.interval=5m"};
  EXPECT_THAT(error_of(from), HasSubstr("'--sync.interval' is not a flag")) << "a flag is meant for this program";
}

TEST(Load, WarnsOfSettingsOfNoProgram) {
  Sources from = sources();
  from.environment = {{"TOKENRAIL_SNYC_INTERVAL", "5m"}, {"TOKENRAIL_SYNCED", "x"}, {"TOKENRAIL_ROUTERS", "x"}};
  from.file_text = "[snyc]\ninterval = \"7d\"\n";
  const auto loaded = load(from);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_THAT(loaded->warnings, ElementsAre(HasSubstr("snyc.interval"), HasSubstr("TOKENRAIL_ROUTERS"),
                                            HasSubstr("TOKENRAIL_SNYC_INTERVAL"), HasSubstr("TOKENRAIL_SYNCED")));
}

TEST(Load, NamesThatAreNoSettingsArePassedOver) {
  Sources from = sources();
  from.environment = {{"TOKENRAIL_CONFIG", "x"},
                      {"TOKENRAIL_TRANSCRIPTS", "x"},
                      {"TOKENRAIL_DEV_HOME", "x"},
                      {"TOKENRAIL_TEST_LAYER", "x"},
                      {"PATH", "x"},
                      {"LOG_LEVEL", "loud"}};
  const auto loaded = load(from);
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST(Load, EmptyVariableIsUnsetUnlessEmptyIsAllowed) {
  Sources from = sources();
  from.file_text = "[kafka]\nbootstrap_servers = \"file:1\"\n[router]\nin_flight_max = 2\n";
  from.environment = {{"TOKENRAIL_ROUTER_IN_FLIGHT_MAX", ""},
                      {"OLLAMA_BASE_URL", ""},
                      {"TOKENRAIL_KAFKA_SASL_PASSWORD", ""},
                      {"TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS", ""}};
  const Values values = values_of(from);
  EXPECT_EQ(values.integer("router.in_flight_max"), 2);
  EXPECT_EQ(values.text("ollama.base_url"), "http://localhost:11434");
  EXPECT_EQ(values.text("kafka.bootstrap_servers"), "") << "a text may be empty";
  EXPECT_FALSE(values.kafka_properties().contains("sasl.password"));
}

TEST(Load, KafkaPropertiesPassThrough) {
  Sources from = sources();
  from.file_text =
      "[kafka]\nsecurity.protocol = \"SSL\"\n\"sasl.username\" = \"file\"\nssl.ca.location = \"/ca\"\n"
      "\"socket.nagle.disable\" = true\n\"fetch.wait.max.ms\" = 50\n";
  from.environment = {{"TOKENRAIL_KAFKA_SASL_USERNAME", "env"},
                      {"TOKENRAIL_KAFKA_LOG_LEVEL", "7"},
                      {"TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS", "b:1"}};
  from.arguments = {"--kafka.sasl.mechanisms", "PLAIN"};
  const Values values = values_of(from);
  const std::map<std::string, std::string> expected{
      {"bootstrap.servers", "b:1"},     {"fetch.wait.max.ms", "50"}, {"log_level", "7"},
      {"sasl.mechanisms", "PLAIN"},     {"sasl.username", "env"},    {"security.protocol", "SSL"},
      {"socket.nagle.disable", "true"}, {"ssl.ca.location", "/ca"}};
  EXPECT_EQ(values.kafka_properties(), expected);
}

TEST(Load, BootstrapServersByLibrdkafkasOwnName) {
  Sources from = sources();
  from.file_text = "[kafka]\nbootstrap.servers = \"own:1\"\n";
  EXPECT_EQ(values_of(from).text("kafka.bootstrap_servers"), "own:1");
  EXPECT_EQ(values_of(from).kafka_properties().at("bootstrap.servers"), "own:1");
}

TEST(Load, ListsOfAFile) {
  Sources from = sources();
  from.file_text = "[router]\nreply_topics = [\"a\", \"b\"]\n";
  EXPECT_THAT(values_of(from).list("router.reply_topics"), ElementsAre("a", "b"));
  from.file_text = "[router]\nreply_topics = [\"a,b\"]\n";
  EXPECT_THAT(error_of(from), HasSubstr("no comma"));
  from.file_text = "[router]\nin_flight_max = 1.5\n";
  EXPECT_THAT(error_of(from), HasSubstr("router.in_flight_max"));
}

Sources all_given() {
  Sources from = sources();
  from.environment = {{"TOKENRAIL_KAFKA_SASL_PASSWORD", "hush"},
                      {"TOKENRAIL_KAFKA_SECURITY_PROTOCOL", "SSL"},
                      {"TOKENRAIL_ROUTER_TOKEN", "hush"},
                      {"TOKENRAIL_DATABASE_URL", "postgresql://me:hush@db/x"},
                      {"TOKENRAIL_ROUTER_REPLY_TOPICS", "a,b \"c\""},
                      {"TOKENRAIL_ROUTER_DRAIN_DEADLINE", "5m"},
                      {"TOKENRAIL_KAFKA_CLIENT_ID", "back\\slash \"and\" quote"}};
  from.arguments = {"--router.in-flight-max=9"};
  return from;
}

TEST(Print, MasksSecrets) {
  const std::string text = values_of(all_given()).print();
  EXPECT_THAT(text, AllOf(Not(HasSubstr("hush")), HasSubstr("# token = \"********\"  # secret, from environment\n"),
                          HasSubstr("# \"sasl.password\" = \"********\"  # secret, from environment\n"),
                          HasSubstr("# url = \"postgresql://me:********@db/x\"  # secret, from environment\n")));
}

TEST(Print, SaysWhereValuesCameFrom) {
  const std::string text = values_of(all_given()).print();
  EXPECT_THAT(
      text, AllOf(HasSubstr("[router]\n"), HasSubstr("\nin_flight_max = 9  # flag\n"),
                  HasSubstr("\nclaim = false  # default\n"), HasSubstr("\ndrain_deadline = \"5m\"  # environment\n")));
}

TEST(Print, CanBeLoadedAgain) {
  const Values before = values_of(all_given());
  Sources again = sources();
  again.file_text = before.print();
  const Values after = values_of(again);
  EXPECT_EQ(after.integer("router.in_flight_max"), 9);
  EXPECT_EQ(after.duration("router.drain_deadline"), std::chrono::minutes(5));
  EXPECT_EQ(after.list("router.reply_topics"), before.list("router.reply_topics"));
  EXPECT_FALSE(after.is_set("router.proxy"));
  auto properties = before.kafka_properties();
  properties.erase("sasl.password");
  EXPECT_EQ(after.kafka_properties(), properties);
  EXPECT_EQ(after.text("database.url"), "postgresql://me@db/x") << "a mask must not become the password";
}

TEST(Pages, HelpAndMarkdownNameEverySetting) {
  const std::string help = help_page("tokenrail-test", "does nothing", table);
  const std::string markdown = markdown_table(table);
  for (const Setting& setting : table) {
    EXPECT_THAT(help, HasSubstr(environment_name(setting)));
    EXPECT_THAT(markdown, HasSubstr(environment_name(setting)));
  }
  EXPECT_THAT(help, HasSubstr("--router.in-flight-max VALUE"));
  EXPECT_THAT(markdown, HasSubstr("| `router.in_flight_max` | `TOKENRAIL_ROUTER_IN_FLIGHT_MAX` | `100` | "
                                  "a whole number, from 1 to 10000 |  |\n"));
}

TEST(CommonSettings, TheFixedNames) {
  std::set<std::string> names;
  for (const Setting& setting : common_settings()) names.insert(environment_name(setting));
  for (const char* name : {"TOKENRAIL_KAFKA_BOOTSTRAP_SERVERS", "TOKENRAIL_DATABASE_URL", "TOKENRAIL_TOPIC_PREFIX",
                           "TOKENRAIL_HTTP_LISTEN", "OLLAMA_BASE_URL"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(CommonSettings, TheDefaultsAreAllowed) {
  const auto loaded =
      load({.settings = common_settings(), .arguments = {}, .environment = {}, .file_text = {}, .file_name = {}});
  ASSERT_TRUE(loaded);
  for (const Setting& setting : common_settings()) {
    Sources from{.settings = common_settings(), .arguments = {}, .environment = {}, .file_text = {}, .file_name = {}};
    if (!setting.default_value.empty()) from.environment[environment_name(setting)] = setting.default_value;
    EXPECT_TRUE(load(from)) << setting.name;
  }
}

using ValuesDeathTest = ::testing::Test;

TEST(ValuesDeathTest, ReadingUndeclaredSettingIsABug) {
  const Values values = values_of(sources());
  EXPECT_DEATH((void)values.text("no.such"), "no.such");
  EXPECT_DEATH((void)values.integer("log.level"), "another kind");
  EXPECT_DEATH((void)values.text("router.in_flight_max"), "another kind");
}

}  // namespace
}  // namespace tokenrail::config
