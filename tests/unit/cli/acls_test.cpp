#include "cli/acls.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/context.hpp"
#include "cli/topics.hpp"

namespace tokenrail::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Acls, EveryProgramHasRightsWithReasons) {
  for (const auto& program : acl_programs()) {
    const auto acls = acls_of(program.name, {.prefix = "eu."});
    ASSERT_TRUE(acls) << program.name;
    EXPECT_FALSE(acls->empty()) << program.name;
    for (const auto& acl : *acls) {
      EXPECT_FALSE(acl.reason.empty()) << program.name << " " << acl.name;
      if (acl.resource == Acl::Resource::topic) {
        EXPECT_TRUE(acl.name.starts_with("eu.")) << acl.name;
      }
    }
  }
}

TEST(Acls, HelpNamesEveryProgram) {
  const auto command = std::ranges::find(commands(), "topics acls", &Command::path);
  const auto flag = std::ranges::find(command->flags, "program", &Flag::name);
  for (const auto& program : acl_programs()) EXPECT_THAT(flag->help, HasSubstr(program.name));
}

TEST(Acls, ListsEachRightOnceAndOnlyKnownTopics) {
  std::set<std::string> topics;
  for (const auto& topic : wanted_topics({.prefix = "p."})) topics.insert(topic.name);
  for (const auto& program : acl_programs()) {
    std::set<std::string> seen;
    const auto acls = acls_of(program.name, {.prefix = "p."});
    for (const auto& acl : *acls) {
      EXPECT_TRUE(seen.insert(acl.name + " " + std::string(acl.operation)).second) << program.name << " " << acl.name;
      if (acl.resource == Acl::Resource::topic) {
        EXPECT_TRUE(topics.contains(acl.name)) << acl.name;
      }
    }
  }
}

TEST(Acls, TheOperatorMayMakeEveryTopic) {
  std::set<std::string> creatable;
  const auto acls = acls_of("operator", {});
  for (const auto& acl : *acls)
    if (acl.operation == "Create") creatable.insert(acl.name);
  for (const auto& topic : wanted_topics({})) EXPECT_TRUE(creatable.contains(topic.name)) << topic.name;
}

TEST(Acls, RefusesUnknownProgramAndListsKnownOnes) {
  const auto acls = acls_of("ruoter", {});
  ASSERT_FALSE(acls);
  EXPECT_EQ(acls.error().kind, ErrorKind::invalid_input);
  EXPECT_THAT(acls.error().detail, HasSubstr("ruoter"));
  EXPECT_THAT(acls.error().detail, HasSubstr("registry-sync"));
}

TEST(Acls, PrintsOneQuotedCommandForEachResource) {
  const auto acls = acls_of("chat", {.prefix = "eu."});
  EXPECT_THAT(acl_commands(*acls, "User:CN=o'web,O=A B", "kafka:9092"),
              ElementsAre("kafka-acls.sh --bootstrap-server kafka:9092 --command-config admin.properties --add "
                          "--allow-principal 'User:CN=o'\\''web,O=A B' --operation Write --topic eu.chat.requests",
                          HasSubstr("--operation Write --topic eu.chat.cancellations"),
                          HasSubstr("--operation Read --topic eu.chat.chunks")));
  const auto router = acl_commands(*acls_of("router", {.group = "routers"}), "User:r", "k:1");
  EXPECT_TRUE(std::ranges::any_of(
      router, [](const std::string& c) { return c.ends_with("--operation Read --group routers"); }));
  EXPECT_TRUE(std::ranges::any_of(router, [](const std::string& c) {
    return c.ends_with("--operation Write --operation Read --operation DescribeConfigs --topic llm.audit");
  }));
}

}  // namespace
}  // namespace tokenrail::cli
