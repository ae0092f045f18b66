#include "common/events/registry_records.hpp"

#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tokenrail::events {
namespace {

RegistryDefault pointer() {
  return {.version = 3,
          .org_id = "acme",
          .owner_user_id = "ann",
          .kind = "embedding",
          .provider = "ollama",
          .purpose = "search",
          .model_id = "m-1",
          .model = {.provider = "ollama", .name = "library/nomic:1"},
          .cause = "api",
          .actor = "u-1"};
}

RegistryAlias alias() {
  return {.version = 4,
          .org_id = "acme",
          .owner_user_id = "ann",
          .alias = "fast/one",
          .targets = {{.model_id = "m-1", .model = {.provider = "ollama", .name = "a"}, .weight = 9},
                      {.model_id = "m-2", .model = {.provider = "openai", .name = "b"}, .weight = 0}},
          .sticky = Sticky::user,
          .description = "one\ntwo",
          .cause = "api",
          .actor = "u-1"};
}

RegistryView view() {
  return {.version = 7,
          .org_id = "acme",
          .owner_user_id = "ann",
          .name = "free/tools",
          .filter = {.kind = "generation",
                     .provider = "ollama",
                     .status = "active",
                     .scope = "organization",
                     .search = "lla\"ma",
                     .capabilities = {"tools", "vision"},
                     .tags = {"approved"},
                     .free = false,
                     .context_min = 8'192},
          .pins = {"m-1", "m-2"},
          .for_auto = true,
          .cause = "api",
          .actor = "u-1"};
}

RegistryGrants grants() {
  return {.version = 5,
          .org_id = "acme",
          .restricted = true,
          .grants = {{.subject_kind = SubjectKind::org,
                      .subject = "acme",
                      .object_kind = ObjectKind::connection,
                      .object = "c-1",
                      .allow = true},
                     {.subject_kind = SubjectKind::user,
                      .subject = "bob",
                      .object_kind = ObjectKind::view,
                      .object = "v-1",
                      .allow = false}},
          .cause = "api",
          .actor = "u-1"};
}

RegistryOrganization organization() {
  return {.version = 6,
          .org_id = "acme",
          .slug = "acme-corp",
          .allow_list = true,
          .strict_default = true,
          .deleted = true,
          .cause = "api",
          .actor = "u-1"};
}

TEST(RegistryRecords, ComeBackAsTheyWereWritten) {
  const auto a = to_json(pointer());
  const auto b = to_json(alias());
  const auto c = to_json(grants());
  const auto d = to_json(organization());
  EXPECT_EQ(to_json(parse_registry_default(a).value()), a);
  EXPECT_EQ(to_json(parse_registry_alias(b).value()), b);
  EXPECT_EQ(to_json(parse_registry_grants(c).value()), c);
  EXPECT_EQ(to_json(parse_registry_organization(d).value()), d);
  const auto e = to_json(view());
  EXPECT_EQ(to_json(parse_registry_view(e).value()), e);
  EXPECT_EQ(parse_registry_view(e)->filter, view().filter);
  EXPECT_EQ(parse_registry_alias(b)->targets[1].weight, 0);
  EXPECT_EQ(parse_registry_alias(b)->sticky, Sticky::user);
  EXPECT_TRUE(parse_registry_grants(c)->grants[0].allow);
  EXPECT_FALSE(parse_registry_grants(c)->grants[1].allow);
}

TEST(RegistryRecords, KeysNameKindAndScope) {
  EXPECT_EQ(record_key(pointer()), "_default/acme/ann/embedding/ollama/search");
  EXPECT_EQ(record_key(RegistryDefault{}), "_default/_/_/generation/_/_");
  EXPECT_EQ(record_key(alias()), "_alias/acme/ann/fast%2Fone");
  EXPECT_EQ(record_key(view()), "_view/acme/ann/free%2Ftools");
  EXPECT_EQ(record_key(grants()), "_grants/acme");
  EXPECT_EQ(record_key(organization()), "_org/acme");
}

TEST(RegistryRecords, AliasesAndDefaultsHaveUniqueKeys) {
  const std::string pieces[] = {"", "a", "_", "a/b", "a%2Fb", "%5F", "/", "%"};
  std::set<std::string> keys;
  std::size_t records = 0;
  for (const auto& org : pieces) {
    for (const auto& user : pieces) {
      for (const auto& last : pieces) {
        keys.insert(record_key(RegistryDefault{.org_id = org, .owner_user_id = user, .provider = last}));
        keys.insert(record_key(RegistryDefault{.org_id = org, .owner_user_id = user, .purpose = last}));
        records += last.empty() ? 1 : 2;
        if (last.empty()) continue;
        keys.insert(record_key(RegistryAlias{.org_id = org, .owner_user_id = user, .alias = last}));
        ++records;
      }
    }
  }
  EXPECT_EQ(keys.size(), records);
}

// What limits access is never read as less than it may have meant.
TEST(RegistryRecords, UnknownValuesAreReadAsTheStricterMeaning) {
  const auto organization = parse_registry_organization(
      R"({"type":"model_registry.organization","version":1,"orgId":"acme","mode":"by_invitation"})");
  ASSERT_TRUE(organization.has_value());
  EXPECT_TRUE(organization->allow_list);
  EXPECT_FALSE(parse_registry_organization(R"({"type":"model_registry.organization","version":1,"orgId":"a"})")
                   .value()
                   .allow_list);

  const auto grants = parse_registry_grants(
      R"({"type":"model_registry.grants","version":1,"orgId":"acme","grants":[7,{"subject":"x"},)"
      R"({"subjectKind":"robot","subject":"x","object":{"kind":"planet","id":"y"},"effect":"maybe"}]})");
  ASSERT_TRUE(grants.has_value());
  ASSERT_EQ(grants->grants.size(), 1U);
  EXPECT_EQ(grants->grants[0].subject_kind, SubjectKind::other);
  EXPECT_EQ(grants->grants[0].object_kind, ObjectKind::other);
  EXPECT_FALSE(grants->grants[0].allow);
}

TEST(RegistryRecords, FilterWithUnknownPartIsMarked) {
  const auto unknown = [](std::string_view filter) {
    const auto read = parse_registry_view(
        fmt::format(R"({{"type":"model_registry.view","version":1,"name":"v","filter":{}}})", filter));
    return read && read->filter.unknown;
  };
  for (const auto* known : {R"({})", R"({"kind":"generation","free":true,"contextMin":1,"tags":["a"]})"})
    EXPECT_FALSE(unknown(known)) << known;
  for (const auto* odd : {R"({"colour":"red"})", R"({"kind":7})", R"({"free":"yes"})", R"({"contextMin":"8K"})",
                          R"({"tags":"a"})", R"({"capabilities":[7]})"})
    EXPECT_TRUE(unknown(odd)) << odd;
}

TEST(RegistryRecords, AliasTargetsWithoutANameAreLeftOut) {
  const auto read = parse_registry_alias(
      R"({"type":"model_registry.alias","version":1,"alias":"a","sticky":"planet",)"
      R"("targets":[{"provider":"p"},7,{"provider":"p","modelName":"m","weight":-4},{"provider":"p","modelName":"n"}]})");
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->targets.size(), 2U);
  EXPECT_EQ(read->targets[0].weight, 0);
  EXPECT_EQ(read->targets[1].weight, 1);
  EXPECT_EQ(read->sticky, Sticky::none);
}

TEST(RegistryRecords, RefusesUnusableFieldByName) {
  const auto detail = [](const auto& result) { return result ? std::string("taken") : result.error().detail; };
  EXPECT_NE(detail(parse_registry_default("")).find("not JSON"), std::string::npos);
  EXPECT_NE(detail(parse_registry_default(to_json(alias()))).find("type"), std::string::npos);
  EXPECT_NE(detail(parse_registry_default(R"({"type":"model_registry.default"})")).find("version"), std::string::npos);
  EXPECT_NE(detail(parse_registry_default(R"({"type":"model_registry.default","version":1})")).find("kind"),
            std::string::npos);
  EXPECT_NE(detail(parse_registry_default(R"({"type":"model_registry.default","version":1,"kind":"k","model":{}})"))
                .find("model"),
            std::string::npos);
  EXPECT_NE(detail(parse_registry_alias(R"({"type":"model_registry.alias","version":1})")).find("alias"),
            std::string::npos);
  EXPECT_NE(detail(parse_registry_view(R"({"type":"model_registry.view","version":1})")).find("name"),
            std::string::npos);
  EXPECT_NE(detail(parse_registry_view(R"({"type":"model_registry.view","version":1,"name":"v"})")).find("filter"),
            std::string::npos);
  EXPECT_NE(detail(parse_registry_grants(R"({"type":"model_registry.grants","version":1})")).find("orgId"),
            std::string::npos);
  EXPECT_NE(detail(parse_registry_organization(R"({"version":1,"orgId":"a"})")).find("type"), std::string::npos);
  EXPECT_NE(detail(parse_registry_organization(R"({"type":"model_registry.organization","version":1})")).find("orgId"),
            std::string::npos);
}

template <class Parse>
void expect_harmless(const std::string& whole, const Parse& parse) {
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(parse(std::string_view(whole).substr(0, length)).has_value()) << length;
  }
  for (unsigned seed = 1; seed <= 500; ++seed) {
    std::mt19937 random(seed);
    auto text = whole;
    text[random() % text.size()] = static_cast<char>(random() % 256);
    if (const auto read = parse(text)) {
      EXPECT_TRUE(parse(to_json(*read)).has_value()) << "seed " << seed;
    }
  }
}

TEST(RegistryRecords, AnyBytesAreReadWithoutHarm) {
  expect_harmless(to_json(pointer()), parse_registry_default);
  expect_harmless(to_json(alias()), parse_registry_alias);
  expect_harmless(to_json(view()), parse_registry_view);
  expect_harmless(to_json(grants()), parse_registry_grants);
  expect_harmless(to_json(organization()), parse_registry_organization);
}

}  // namespace
}  // namespace tokenrail::events
