#include "cli/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/context.hpp"

namespace tokenrail::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

Parsed parsed(std::vector<std::string> arguments) {
  return parse(arguments, commands(), settings());
}

Call call_of(std::vector<std::string> arguments) {
  const auto result = parsed(std::move(arguments));
  if (const auto* error = std::get_if<UsageError>(&result)) ADD_FAILURE() << error->message;
  const auto* call = std::get_if<Call>(&result);
  return call ? *call : Call{};
}

TEST(Arguments, ACommandWithItsFlagsInAnyOrder) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"chat", "-m", "ollama/x:1b", "--org=acme", "Hello you"},
        {"chat", "Hello you", "--model", "ollama/x:1b", "--org", "acme"},
        {"chat", "-mollama/x:1b", "--org", "acme", "--", "Hello you"}}) {
    const auto call = call_of(words);
    ASSERT_NE(call.command, nullptr);
    EXPECT_EQ(call.command->path, "chat");
    EXPECT_EQ(call.value("model"), "ollama/x:1b");
    EXPECT_EQ(call.value("org"), "acme");
    EXPECT_THAT(call.arguments, ElementsAre("Hello you"));
  }
}

TEST(Arguments, DashIsArgumentAndTwoDashesEndFlags) {
  EXPECT_THAT(call_of({"chat", "-"}).arguments, ElementsAre("-"));
  EXPECT_THAT(call_of({"chat", "--", "--help"}).arguments, ElementsAre("--help"));
}

TEST(Arguments, SettingsArePassedOn) {
  const auto call = call_of({"--kafka.bootstrap-servers", "h:1", "topics", "apply", "--topic.prefix=eu."});
  EXPECT_EQ(call.command->path, "topics apply");
  EXPECT_THAT(call.setting_flags, ElementsAre("--kafka.bootstrap-servers=h:1", "--topic.prefix=eu."));
}

TEST(Arguments, KafkasOwnPropertiesArePassedOnToo) {
  const auto call = call_of({"--kafka.security.protocol", "SASL_SSL", "doctor", "--kafka.sasl.username=ann"});
  EXPECT_EQ(call.command->path, "doctor");
  EXPECT_THAT(call.setting_flags, ElementsAre("--kafka.security.protocol=SASL_SSL", "--kafka.sasl.username=ann"));
  const auto loaded = config::load(
      {.settings = settings(), .arguments = call.setting_flags, .environment = {}, .file_text = {}, .file_name = {}});
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->values.kafka_properties().at("security.protocol"), "SASL_SSL");
  EXPECT_EQ(loaded->values.kafka_properties().at("sasl.username"), "ann");
}

TEST(Arguments, TakesGlobalFlagsAnywhere) {
  EXPECT_TRUE(call_of({"--json", "registry", "list"}).has("json"));
  EXPECT_TRUE(call_of({"registry", "--json", "list"}).has("json"));
  EXPECT_TRUE(call_of({"registry", "list", "-q"}).has("quiet"));
}

TEST(Arguments, HelpOfProgramGroupAndCommand) {
  EXPECT_TRUE(std::holds_alternative<HelpCall>(parsed({})));
  EXPECT_TRUE(std::get<HelpCall>(parsed({"--help"})).group.empty());
  EXPECT_EQ(std::get<HelpCall>(parsed({"topics", "--help"})).group, "topics");
  EXPECT_EQ(std::get<HelpCall>(parsed({"topics", "apply", "-h"})).command->path, "topics apply");
  EXPECT_EQ(std::get<HelpCall>(parsed({"topics", "tail", "--help"})).command->path, "topics tail");
  EXPECT_TRUE(std::holds_alternative<VersionCall>(parsed({"--version"})));
}

struct WrongCall {
  std::vector<std::string> words;
  std::string message_part;
};

TEST(Arguments, WrongCallsSayWhatWasMeant) {
  const std::vector<WrongCall> table{
      {{"chta", "x"}, "did you mean 'tokenrail chat'?"},
      {{"topic", "apply"}, "did you mean 'tokenrail topics'?"},
      {{"topics", "aply"}, "did you mean 'tokenrail topics apply'?"},
      {{"registry", "ls"}, "there is no command 'registry ls'"},
      {{"frobnicate"}, "there is no command 'frobnicate'"},
      {{"topics"}, "needs one more word"},
      {{"topics", "tail"}, "needs TOPIC"},
      {{"chat", "--modle", "x", "y"}, "did you mean '--model'?"},
      {{"chat", "a", "b"}, "put text with spaces into quotes"},
      {{"migrate", "now"}, "takes no argument"},
      {{"chat", "--model"}, "needs a value"},
      {{"chat", "x", "--no-stream=1"}, "takes no value"},
      {{"chat", "x", "-Z"}, "no flag '-Z'"},
      {{"--model", "x", "chat"}, "belongs to 'tokenrail chat'"},
      {{"doctor", "--kafka.bootstrap-server", "h:1"}, "did you mean '--kafka.bootstrap-servers'?"},
      {{"doctor", "--kafka.bootstrap-servers"}, "needs a value"},
  };
  for (const auto& row : table) {
    const auto result = parsed(row.words);
    const auto* error = std::get_if<UsageError>(&result);
    ASSERT_NE(error, nullptr) << row.message_part;
    EXPECT_THAT(error->message, HasSubstr(row.message_part));
  }
}

TEST(Arguments, TimesAndCounts) {
  EXPECT_EQ(duration_flag("timeout", "250ms"), 250ms);
  EXPECT_EQ(duration_flag("timeout", "1ms"), 1ms);
  EXPECT_EQ(duration_flag("timeout", "10s"), 10s);
  EXPECT_EQ(duration_flag("timeout", "5m"), 5min);
  EXPECT_EQ(duration_flag("timeout", "2h"), 2h);
  for (const auto* wrong : {"", "s", "0", "0s", "-1s", "1.5s", "1d", "5", "9223372036854775807h"})
    EXPECT_FALSE(duration_flag("timeout", wrong)) << wrong;
  EXPECT_EQ(duration_flag("dedupe-window", "0", Zero::allowed), 0ms);
  EXPECT_FALSE(duration_flag("dedupe-window", "10", Zero::allowed));
  EXPECT_EQ(parse_count("24"), 24);
  EXPECT_EQ(parse_count("1"), 1);
  EXPECT_EQ(parse_count("2147483647"), 2'147'483'647);
  for (const auto* wrong : {"", "0", "-3", "4x", "2147483648"}) EXPECT_FALSE(parse_count(wrong)) << wrong;
}

TEST(Arguments, WrongTimeNamesFlagAndFormat) {
  EXPECT_EQ(duration_flag("timeout", "5").error().detail, "--timeout 5: write a unit, for example 5s or 5ms");
  EXPECT_EQ(duration_flag("timeout", "0").error().detail, "--timeout 0: a time such as 30s or 5m is needed");
  EXPECT_EQ(duration_flag("dedupe-window", "soon", Zero::allowed).error().detail,
            "--dedupe-window soon: a time such as 30s or 5m, or 0, is needed");
  EXPECT_EQ(moment_flag("since", "-90", 0).error().detail, "--since -90: write a unit, for example 90s or 90ms");
  EXPECT_EQ(moment_flag("since", "noon", 0).error().kind, ErrorKind::invalid_input);
}

TEST(Arguments, MomentsAreAbsoluteOrAgo) {
  constexpr std::int64_t now = 1'800'000'000'000;
  EXPECT_EQ(moment_flag("since", "-1h", now), now - 3'600'000);
  EXPECT_EQ(moment_flag("since", "1970-01-01T00:00:00Z", now), 0);
  EXPECT_EQ(moment_flag("since", "2026-11-21T09:00:00Z", now), 1'795'251'600'000);
  EXPECT_EQ(moment_flag("since", "2026-11-21T10:30:00.125+01:30", now), 1'795'251'600'125);
  EXPECT_EQ(moment_flag("since", "2026-11-21T04:00:00.1234-05:00", now), 1'795'251'600'123);
  for (const auto* wrong :
       {"", "-", "-1x", "-1", "-0s", "1h", "2026-11-21", "2026-11-21T09:00:00", "2026-11-21 09:00:00Z",
        "2026-02-30T09:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T09:60:00Z", "2026-11-21T09:00:00.Z",
        "2026-11-21T09:00:00.5", "2026-11-21T09:00:00+0100", "2026-11-21T09:00:00Zx", "2026-11-2aT09:00:00Z"})
    EXPECT_FALSE(moment_flag("since", wrong, now)) << wrong;
}

TEST(Arguments, ModelNames) {
  const auto full = parse_model_name("ollama/hf.co/x/y:q4");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->provider, "ollama");
  EXPECT_EQ(full->name, "hf.co/x/y:q4");
  const auto alias = parse_model_name("fast");
  ASSERT_TRUE(alias);
  EXPECT_TRUE(alias->provider.empty());
  for (const auto* wrong : {"", "/x", "ollama/"}) EXPECT_FALSE(parse_model_name(wrong)) << wrong;
}

TEST(Help, ListsExamplesFirstAndEveryCommand) {
  const auto page = help_of_program(commands());
  EXPECT_LT(page.find("Examples:"), page.find("Commands:"));
  for (const auto& command : commands()) EXPECT_THAT(page, HasSubstr(command.path));
  for (const auto& command : commands()) {
    const auto help = help_of_command(command);
    for (const auto& flag : command.flags) EXPECT_THAT(help, HasSubstr(flag.name)) << command.path;
  }
}

}  // namespace
}  // namespace tokenrail::cli
