#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/ollama/ollama.hpp"

namespace tokenrail::providers::ollama {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(OllamaBaseUrl, IsMadeRegular) {
  struct Case {
    const char* written;
    const char* normal;
  };
  for (const auto& row : {
           Case{"http://localhost:11434", "http://localhost:11434"},
           Case{"http://localhost:11434/", "http://localhost:11434"},
           Case{"  http://localhost:11434///\n", "http://localhost:11434"},
           Case{"localhost:11434", "http://localhost:11434"},
           Case{"HTTPS://Ollama.COM/Path/", "https://ollama.com/Path"},
           Case{"http://User:PassWord@Host:1/A", "http://User:PassWord@host:1/A"},
           Case{"https://gate.example/ollama/", "https://gate.example/ollama"},
           Case{"", ""},
           Case{" / ", ""},
       }) {
    EXPECT_EQ(normal_base_url(row.written), row.normal) << row.written;
  }
}

TEST(OllamaVersion, ReadsReportedVersion) {
  EXPECT_EQ(ask_version({.base_url = "http://h:1", .upstream_name = ""}).url, "http://h:1/api/version");
  EXPECT_EQ(parse_version(R"({"version":"0.12.0"})"), "0.12.0");
  for (const auto* other : {"", "Ollama is running", "<html>", "[]", R"({"version":7})", R"({"models":[]})"})
    EXPECT_EQ(parse_version(other), "") << other;
}

TEST(OllamaModels, AsksForTheList) {
  const auto plain = list_models({.base_url = "http://h:1", .upstream_name = ""});
  EXPECT_EQ(plain.method, "GET");
  EXPECT_EQ(plain.url, "http://h:1/api/tags");
  EXPECT_EQ(plain.body, "");
  const auto keyed = list_models(
      {.base_url = "http://h:1", .upstream_name = "", .credential = {.type = AuthType::bearer, .secret = Secret("k")}});
  ASSERT_FALSE(keyed.headers.empty());
  EXPECT_EQ(keyed.headers.back().value, "Bearer k");
  EXPECT_TRUE(keyed.headers.back().secret);
}

TEST(OllamaModels, AsksForOneModelsDetails) {
  const auto request = show_model({.base_url = "http://h:1"}, "a\"b:1");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://h:1/api/show");
  EXPECT_EQ(request.body, R"({"model":"a\"b:1"})");
}

TEST(OllamaModels, ReadsAList) {
  const auto list = parse_model_list(
      R"({"models":[{"name":"A:1b","model":"A:1b","modified_at":"2026-04-08T20:53:10Z","size":7162405886,"digest":"7fbd",
      "capabilities":["completion","tools"],
      "details":{"family":"gemma4","families":null,"parameter_size":"5.1B","quantization_level":"Q4_K_M","context_length":4096}}]})");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->models.size(), 1U);
  const auto& model = list->models[0];
  EXPECT_EQ(model.name, "A:1b");
  EXPECT_EQ(model.digest, "7fbd");
  EXPECT_EQ(model.family, "gemma4");
  EXPECT_EQ(model.parameter_size, "5.1B");
  EXPECT_EQ(model.quantization, "Q4_K_M");
  EXPECT_EQ(model.size_bytes, 7162405886);
  EXPECT_EQ(model.modified_at, "2026-04-08T20:53:10Z");
  EXPECT_THAT(model.capabilities, ElementsAre("completion", "tools"));
  EXPECT_EQ(model.context_length, 4096);
  EXPECT_EQ(list->skipped, 0U);
}

TEST(OllamaModels, OneBadEntryKeepsTheList) {
  const auto list = parse_model_list(
      R"({"models":[{"name":"a","size":"big","details":7},null,7,{"digest":"x"},{"name":""},{"model":"b"},{"name":"a"}]})");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->models.size(), 2U);
  EXPECT_EQ(list->models[0].name, "a");
  EXPECT_EQ(list->models[0].size_bytes, 0);
  EXPECT_EQ(list->models[1].name, "b");
  EXPECT_EQ(list->skipped, 5U) << "null, 7, two without a name, one twice";
  EXPECT_EQ(list->first_skipped, "entry 2 is null, not an object");
}

struct EntryCase {
  const char* entry;
  const char* named;  ///< empty: the entry is listed
};
TEST(OllamaModels, NamesBadEntryAndListsTheOthers) {
  for (const auto& row : {
           EntryCase{R"({"name":"bad","size":18446744073709551616})",
                     R"(entry 2 ("bad") has a number that no 64 bits can express)"},
           EntryCase{R"({"model":"bad","details":{"x":-1e999}})",
                     R"(entry 2 ("bad") has a number that no 64 bits can express)"},
           EntryCase{R"({"size":1})", "entry 2 has no name"},
           EntryCase{R"({"name":7})", "entry 2 has no name"},
           EntryCase{R"({"name":null,"model":""})", "entry 2 has no name"},
           EntryCase{R"([{"name":"x"}])", "entry 2 is an array, not an object"},
           EntryCase{R"("x")", "entry 2 is a string, not an object"},
           EntryCase{"7", "entry 2 is a number, not an object"},
           EntryCase{R"({"name":"well"})", R"(entry 2 has the name of another, "well")"},
           EntryCase{R"({"name":"x","size":9223372036854775808})", ""},
           EntryCase{R"({"name":"x","size":"big","digest":7,"modified_at":null,"details":[],"capabilities":"all"})",
                     ""},
           EntryCase{R"({"name":"x","details":{"family":7,"context_length":"many","parameter_size":null}})", ""},
           EntryCase{R"({"name":"x","capabilities":["tools",7,null]})", ""},
       }) {
    const auto list =
        parse_model_list(fmt::format(R"({{"models":[{{"name":"well"}},{},{{"name":"last"}}]}})", row.entry));
    ASSERT_TRUE(list) << row.entry;
    const std::string_view named = row.named;
    EXPECT_EQ(list->models.front().name, "well") << row.entry;
    EXPECT_EQ(list->models.back().name, "last") << row.entry;
    EXPECT_EQ(list->models.size(), named.empty() ? 3U : 2U) << row.entry;
    EXPECT_EQ(list->skipped, named.empty() ? 0U : 1U) << row.entry;
    EXPECT_EQ(list->first_skipped, named) << row.entry;
  }
}

TEST(OllamaModels, CountsAreReadByTheirValue) {
  const auto list = parse_model_list(
      R"({"models":[{"name":"a","size":1000.0,"details":{"context_length":"4096"}},{"name":"b","size":-1}]})");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->models.at(0).size_bytes, 1000);
  EXPECT_EQ(list->models.at(0).context_length, 4096);
  EXPECT_EQ(list->models.at(1).size_bytes, 0);
}

TEST(OllamaModels, NamesAndFactsAreRepaired) {
  const std::string mark = "\xEF\xBF\xBD";
  for (const auto& bad :
       {std::string(R"(\ud83d)"), std::string(R"(\u0000)"), std::string("\xFF"), std::string(1, '\0')}) {
    const auto list = parse_model_list(R"({"models":[{"name":"a)" + bad + R"(","details":{"family":")" + bad +
                                       R"("}},{"name":"b"}]})");
    ASSERT_TRUE(list) << bad;
    ASSERT_EQ(list->models.size(), 2U);
    EXPECT_EQ(list->models[0].name, "a" + mark);
    EXPECT_EQ(list->models[0].family, mark);
    const auto details = parse_model_details(R"({"model_info":{"general.architecture":")" + bad +
                                             R"("},"capabilities":[")" + bad + R"("]})");
    ASSERT_TRUE(details) << bad;
    EXPECT_EQ(details->architecture, mark);
    EXPECT_THAT(details->capabilities, ElementsAre(mark));
  }
}

TEST(OllamaModels, AnotherApisListIsNamed) {
  const auto list = parse_model_list(R"({"object":"list","data":[{"id":"m"}]})");
  ASSERT_FALSE(list);
  EXPECT_THAT(list.error().detail, testing::HasSubstr("OpenAI-compatible"));
  EXPECT_THAT(parse_model_list("<html>").error().detail, testing::HasSubstr("a web page"));
  EXPECT_THAT(parse_model_details("<html>").error().detail, testing::HasSubstr("a web page"));
}

TEST(OllamaModels, BadFactCostsThatFactOnly) {
  const auto details = parse_model_details(
      R"({"details":7,"license":18446744073709551616,"model_info":{"general.architecture":"llama",
      "general.parameter_count":18446744073709551616,"x":1e999,"llama.context_length":"131072",
      "llama.embedding_length":-1,"other.embedding_length":768.0},"capabilities":["tools",7,null,{"a":1},"","vision"]})");
  ASSERT_TRUE(details);
  EXPECT_EQ(details->architecture, "llama");
  EXPECT_FALSE(details->parameter_count);
  EXPECT_EQ(details->context_length, 131072);
  EXPECT_EQ(details->embedding_length, 768);
  EXPECT_TRUE(details->capabilities_known);
  EXPECT_THAT(details->capabilities, ElementsAre("tools", "vision"));

  for (const auto* capabilities : {"null", "\"tools\"", "7", "{}"}) {
    const auto told = parse_model_details(fmt::format(
        R"({{"capabilities":{},"model_info":{{"general.architecture":7,"a.context_length":8}}}})", capabilities));
    ASSERT_TRUE(told) << capabilities;
    EXPECT_FALSE(told->capabilities_known) << capabilities;
    EXPECT_EQ(told->architecture, "");
    EXPECT_EQ(told->context_length, 8);
  }
  EXPECT_TRUE(parse_model_details(R"({"model_info":[1],"details":{}})"));
  EXPECT_FALSE(parse_model_details(R"({"model_info":{"a.context_length":8})")) << "cut";
}

TEST(OllamaModels, AcceptsEmptyListAndRefusesOtherBodies) {
  for (const auto* empty : {R"({"models":[]})", R"({"models":null})"}) {
    const auto list = parse_model_list(empty);
    ASSERT_TRUE(list) << empty;
    EXPECT_THAT(list->models, IsEmpty());
  }
  for (const auto* other : {"", "<html>", "[]", "{}", R"({"models":{}})", R"({"models":"x"})", R"({"error":"x"})",
                            R"({"models":[{"name":"a"})"}) {
    const auto list = parse_model_list(other);
    ASSERT_FALSE(list) << other;
    EXPECT_EQ(list.error().kind, ErrorKind::unavailable);
  }
}

TEST(OllamaModels, ReadsDetails) {
  const auto details = parse_model_details(
      R"({"details":{},"model_info":{"clip.context_length":77,"general.architecture":"llama","general.parameter_count":8030261312,
      "llama.embedding_length":4096,"llama.context_length":131072},"capabilities":["completion","vision"]})");
  ASSERT_TRUE(details);
  EXPECT_EQ(details->architecture, "llama");
  EXPECT_EQ(details->context_length, 131072) << "that of the architecture, not the first";
  EXPECT_EQ(details->embedding_length, 4096);
  EXPECT_EQ(details->parameter_count, 8030261312);
  EXPECT_TRUE(details->capabilities_known);
  EXPECT_THAT(details->capabilities, ElementsAre("completion", "vision"));
}

TEST(OllamaModels, FieldsMissingOnOldServersAreUnknown) {
  const auto details = parse_model_details(R"({"details":{},"model_info":{"x.context_length":2048}})");
  ASSERT_TRUE(details);
  EXPECT_FALSE(details->capabilities_known);
  EXPECT_EQ(details->context_length, 2048) << "without an architecture the first that ends so";
  EXPECT_FALSE(details->embedding_length);
  EXPECT_TRUE(parse_model_details(R"({"details":{}})"));
  for (const auto* other : {"", "[]", "{}", R"({"error":"x"})"}) EXPECT_FALSE(parse_model_details(other)) << other;
}

}  // namespace
}  // namespace tokenrail::providers::ollama
