#include "workers/registry_sync/facts.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_sync {
namespace {

using events::Support;
using providers::ModelDetails;
using testing::HasSubstr;
using testing::IsEmpty;

providers::ListedModel listed(std::string name = "m:1b") {
  providers::ListedModel model;
  model.name = std::move(name);
  model.digest = "abc";
  model.family = "llama";
  return model;
}

ListedModel ollama_model(const providers::ListedModel& entry, const ModelDetails* details,
                         std::string_view connection) {
  return listed_model(*providers::find_provider("ollama")->lister(), entry, details, true, connection);
}

ModelDetails telling(std::vector<std::string> words) {
  ModelDetails details;
  details.capabilities = std::move(words);
  details.capabilities_known = true;
  details.context_length = 8192;
  details.embedding_length = 768;
  return details;
}

struct Row {
  std::vector<std::string> told;
  std::string kind;
  std::vector<std::string> supported;
};

TEST(OllamaFacts, MapsOllamasWordsToOurs) {
  const std::vector<Row> table{
      {{"completion"}, "generation", {"chat", "streaming"}},
      {{"completion", "tools"}, "generation", {"chat", "streaming", "tools"}},
      {{"completion", "vision", "thinking"}, "generation", {"chat", "reasoning", "streaming", "vision"}},
      {{"completion", "insert"}, "generation", {"chat", "fill_in_middle", "streaming"}},
      {{"completion", "embedding"}, "generation", {"chat", "embedding", "streaming"}},
      {{"embedding"}, "embedding", {"embedding"}},
      {{"image"}, "image", {}},
      {{"something-new"}, "other", {}},
      {{"completion", "something-new"}, "generation", {"chat", "streaming"}},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(testing::PrintToString(row.told));
    const auto details = telling(row.told);
    const auto model = ollama_model(listed(), &details, "here");
    EXPECT_EQ(model.kind, row.kind);
    std::vector<std::string> supported;
    for (const auto& [name, support] : model.capabilities) {
      EXPECT_NE(support, Support::unknown) << name << ": Ollama gave its whole list";
      if (support == Support::supported) supported.push_back(name);
    }
    EXPECT_EQ(supported, row.supported);
    EXPECT_EQ(model.capabilities.size(), 7U);
  }
}

TEST(OllamaFacts, MissingDetailsAreUnknown) {
  ModelDetails details;
  details.context_length = 4096;
  auto model = ollama_model(listed(), &details, "here");
  EXPECT_THAT(model.capabilities, IsEmpty());
  EXPECT_EQ(model.kind, "generation");
  EXPECT_TRUE(model.details_known);
  EXPECT_EQ(model.context_window, 4096);

  model = ollama_model(listed(), nullptr, "here");
  EXPECT_THAT(model.capabilities, IsEmpty());
  EXPECT_FALSE(model.details_known);
  EXPECT_EQ(model.context_window, std::nullopt);
}

TEST(OllamaFacts, KeepsListedContextLengthWithoutDetails) {
  auto entry = listed();
  entry.context_length = 4096;
  ModelDetails details;
  EXPECT_EQ(ollama_model(entry, &details, "here").context_window, 4096);
  details.context_length = 8192;
  EXPECT_EQ(ollama_model(entry, &details, "here").context_window, 8192) << "where both say something, details win";
}

TEST(OllamaFacts, FindsEmbedderOfOldServerByFamily) {
  auto entry = listed("nomic-embed-text:latest");
  entry.family = "nomic-bert";
  EXPECT_EQ(ollama_model(entry, nullptr, "here").kind, "embedding");
  ModelDetails details;
  details.architecture = "nomic-bert";
  details.embedding_length = 768;
  const auto model = ollama_model(entry, &details, "here");
  EXPECT_EQ(model.kind, "embedding");
  EXPECT_EQ(model.embedding_dimensions, 768);
  EXPECT_THAT(model.capabilities, IsEmpty());
}

TEST(OllamaFacts, DimensionsAreOnlyAnEmbeddersOwn) {
  const auto chat = telling({"completion"});
  EXPECT_EQ(ollama_model(listed(), &chat, "here").embedding_dimensions, std::nullopt);
  const auto embed = telling({"embedding"});
  EXPECT_EQ(ollama_model(listed(), &embed, "here").embedding_dimensions, 768);
}

TEST(OllamaFacts, UsesListedCapabilitiesWithoutDetails) {
  auto entry = listed();
  entry.capabilities = {"completion", "tools"};
  const auto model = ollama_model(entry, nullptr, "here");
  EXPECT_EQ(model.capabilities.at("tools"), Support::supported);
  EXPECT_EQ(model.capabilities.at("vision"), Support::unsupported);
  EXPECT_FALSE(model.details_known);
}

/// A provider whose list is all that it says.
class PlainLister final : public providers::ModelLister {
 public:
  [[nodiscard]] http::Request list(const providers::Target&, std::string_view) const override { return {}; }
  [[nodiscard]] Result<providers::ModelPage> parse(const providers::Target&, std::string_view) const override {
    return providers::ModelPage{};
  }
};

TEST(ListedFacts, ListedWordsAreSupportedAndOthersUnknown) {
  auto entry = listed("some-model");
  entry.capabilities = {"chat", "tools"};
  entry.context_length = 1000;
  entry.output_tokens_max = 100;
  entry.display_name = "Some Model";
  const auto model = listed_model(PlainLister(), entry, nullptr, false, "here");
  EXPECT_EQ(model.kind, "generation");
  EXPECT_EQ(model.capabilities.at("tools"), Support::supported);
  EXPECT_FALSE(model.capabilities.contains("vision"));
  EXPECT_EQ(model.context_window, 1000);
  EXPECT_EQ(model.output_tokens_max, 100);
  EXPECT_EQ(model.display_name, "Some Model");
  EXPECT_TRUE(model.details_known) << "there is nothing more to ask for";
}

TEST(ListedFacts, NameGivesTheKindIfListHasNone) {
  for (const auto& [name, kind] : std::vector<std::pair<std::string, std::string>>{
           {"gpt-5-mini", "generation"},
           {"text-embedding-3-small", "embedding"},
           {"rerank-v3.5", "rerank"},
           {"whisper-1", "transcription"},
           {"gpt-4o-mini-TTS", "speech"},
           {"dall-e-3", "image"},
       }) {
    EXPECT_EQ(listed_model(PlainLister(), listed(name), nullptr, false, "here").kind, kind) << name;
  }
  auto entry = listed("embedded-chat");
  entry.capabilities = {"chat"};
  EXPECT_EQ(listed_model(PlainLister(), entry, nullptr, false, "here").kind, "generation") << "words come first";
}

TEST(DetailsKey, ChangesWithEverythingThatMayChangeTheDetails) {
  const auto entry = listed();
  EXPECT_TRUE(details_key(entry, "here").starts_with("abc "));
  EXPECT_EQ(details_key(entry, "here"), details_key(entry, "here"));
  EXPECT_NE(details_key(entry, "there"), details_key(entry, "here")) << "no connection speaks for another";
  const std::vector<std::function<void(providers::ListedModel&)>> changes{
      [](auto& m) { m.name = "n:1b"; },
      [](auto& m) { m.digest = "abd"; },
      [](auto& m) { m.server_version = "0.7.0"; },
      [](auto& m) { m.modified_at = "2026-01-02"; },
      [](auto& m) { m.family = "other"; },
      [](auto& m) { m.parameter_size = "3B"; },
      [](auto& m) { m.quantization = "Q8_0"; },
      [](auto& m) { m.display_name = "M"; },
      [](auto& m) { m.size_bytes = 77; },
      [](auto& m) { m.context_length = 77; },
      [](auto& m) { m.output_tokens_max = 77; },
      [](auto& m) { m.capabilities.emplace_back("audio"); },
  };
  std::set<std::string> keys{details_key(entry, "here")};
  for (const auto& change : changes) {
    auto changed = entry;
    change(changed);
    keys.insert(details_key(changed, "here"));
  }
  EXPECT_EQ(keys.size(), changes.size() + 1);
}

TEST(DetailsKey, FitsItsColumn) {
  auto entry = listed();
  entry.digest = std::string(300, 'd');
  EXPECT_EQ(details_key(entry, "here").size(), 255U);
  entry.digest.clear();
  EXPECT_TRUE(details_key(entry, "here").starts_with("undigested "));
}

TEST(OllamaFacts, TextsAreMadeFitForTheDatabase) {
  auto entry = listed();
  entry.family = std::string(
                     "a\0b\x01\n\xff\xc2\x80"
                     "c\xc3\xa9",
                     11) +
                 std::string(300, 'x');
  entry.digest = std::string(254, 'd') + "\xc3\xa9";
  const auto model = ollama_model(entry, nullptr, "here");
  EXPECT_TRUE(model.family.starts_with("abc\xc3\xa9xxx"));
  EXPECT_EQ(model.family.size(), 255U);
  EXPECT_EQ(model.digest, std::string(254, 'd')) << "a cut never splits a character";
  EXPECT_THAT(model.raw, HasSubstr("\"family\":\"abc\xc3\xa9xxx"));
}

TEST(StorableName, TakesWhatTheSchemaTakes) {
  for (const auto* good : {"a", "llama3.2:latest", "hf.co/a/b:Q4_K_M", "m\xc3\xb6-del", "\xf0\x9f\xa6\x99", "a b"})
    EXPECT_TRUE(storable_name(good)) << good;
  const std::vector<std::string> bad{"",
                                     std::string(256, 'x'),
                                     "a\nb",
                                     std::string("a\0b", 3),
                                     "\x7f",
                                     "\xc2\x85",
                                     "\xff",
                                     "\xc3",
                                     "\xc0\xaf",
                                     "\xed\xa0\x80",
                                     "\xe0\x80\x80",
                                     "\xf4\x90\x80\x80",
                                     "\xf0\x80\x80\x80"};
  for (const auto& name : bad) EXPECT_FALSE(storable_name(name)) << testing::PrintToString(name);
  EXPECT_TRUE(storable_name(std::string(255, 'x')));
}

TEST(Globs, MatchAsPeopleExpect) {
  struct Case {
    std::string glob;
    std::string name;
    bool matches;
  };
  const std::vector<Case> table{
      {"llama*", "llama3.2:latest", true},
      {"llama*", "codellama", false},
      {"*:latest", "a:latest", true},
      {"*", "", true},
      {"", "", true},
      {"", "a", false},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"*a*b", "xxaxxbxxb", true},
      {"*a*b", "xxaxxbxxc", false},
      {"**", "anything", true},
      {"a*b*c", "a-b-b-c", true},
  };
  for (const auto& row : table) EXPECT_EQ(matches_glob(row.glob, row.name), row.matches) << row.glob << " " << row.name;
}

}  // namespace
}  // namespace tokenrail::registry_sync
