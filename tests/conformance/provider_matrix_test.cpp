// docs/reference/providers.md: its tables are what this run has seen. To write them again:
//   TOKENRAIL_TEST_UPDATE_PAGES=1 build/dev/bin/conformance-tests --gtest_filter='ProviderMatrix.*'
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/providers/profile.hpp"
#include "tests/conformance/collection.hpp"
#include "tests/conformance/evidence.hpp"
#include "tests/conformance/exchanges.hpp"

namespace tokenrail::conformance {
namespace {

/// What a provider itself does not have. Nothing here may be what a recorded exchange shows.
struct Lack {
  std::string_view provider;
  Feature feature;
  std::string_view why;
};
constexpr Lack lacks[] = {
    {"ollama", Feature::files, "chats take text and images"},
    {"ollama", Feature::cached_tokens, "usage does not report them"},
    {"openai", Feature::reasoning, "Chat Completions does not return it; the Responses API does"},
    {"azure", Feature::reasoning, "Chat Completions does not return it; the Responses API does"},
    {"anthropic", Feature::embeddings, "there is no such API"},
    {"cohere", Feature::files, "chats take text and images; documents are results of tools"},
    {"groq", Feature::files, "chats take text and images"},
    {"groq", Feature::embeddings, "there is no such API"},
    {"huggingface", Feature::files, "chats take text and images"},
    {"huggingface", Feature::embeddings, "the router serves chats only"},
    {"vllm", Feature::files, "chats take text, images and audio"},
    {"llamacpp", Feature::files, "chats take text, images and audio"},
    {"lmstudio", Feature::files, "chats take text and images"},
    {"tgi", Feature::files, "chats take text and images"},
    {"tgi", Feature::embeddings, "another server of the same maker has them"},
    {"tgi", Feature::reasoning, "answers have no field for it"},
    {"tgi", Feature::cached_tokens, "usage does not report them"},
    {"ollama-openai", Feature::files, "chats take text and images"},
    {"ollama-openai", Feature::cached_tokens, "usage does not report them"},
    {"deepseek", Feature::vision, "chats take text"},
    {"deepseek", Feature::files, "chats take text"},
    {"deepseek", Feature::json_schema, "JSON mode has no schema"},
    {"deepseek", Feature::embeddings, "there is no such API"},
};

const Lack* lack_of(std::string_view provider, Feature feature) {
  const auto* const found = std::ranges::find_if(
      lacks, [&](const Lack& lack) { return lack.provider == provider && lack.feature == feature; });
  return found == std::ranges::end(lacks) ? nullptr : found;
}

void replace_part(const std::string& name, const std::string& text) {
  std::ifstream file(providers_page_path(), std::ios::binary);
  std::ostringstream old;
  old << file.rdbuf();
  auto page = old.str();
  const auto mark = fmt::format("<!-- {}: written by a test -->\n", name);
  ASSERT_NE(page.find(mark), std::string::npos) << providers_page_path() << " lacks " << mark;
  page.replace(page.find(mark) + mark.size(), part_of_providers_page(name).size(), text);
  std::ofstream(providers_page_path(), std::ios::binary) << page;
}

std::string matrix_of(const std::map<std::string, Evidence>& seen) {
  std::string table = "| provider |";
  std::string line = "| --- |";
  for (const auto name : feature_names) {
    table += fmt::format(" {} |", name);
    line += " --- |";
  }
  table += " recorded exchanges |\n" + line + " --- |\n";
  for (const auto& provider : providers_with_evidence()) {
    const auto& evidence = seen.at(provider);
    table += fmt::format("| {} |", providers::title_of(provider));
    for (std::size_t i = 0; i < feature_names.size(); ++i) {
      const auto feature = static_cast<Feature>(i);
      const bool lacking = lack_of(provider, feature) != nullptr;
      table += evidence.recorded.contains(feature)  ? " ✓ |"
               : lacking                            ? " – |"
               : evidence.written.contains(feature) ? " ✓* |"
                                                    : " ✗ |";
    }
    table += fmt::format(" {} |\n", evidence.exchanges);
  }
  return table;
}

std::string lacks_table() {
  std::string table = "| provider | – | why |\n| --- | --- | --- |\n";
  for (const auto& lack : lacks) {
    table += fmt::format("| {} | {} | {} |\n", providers::title_of(lack.provider),
                         feature_names.at(static_cast<std::size_t>(lack.feature)), lack.why);
  }
  return table;
}

TEST(ProviderMatrix, PageIsWhatThisRunShows) {
  const auto recordings = collection();
  if (recordings.empty()) {
    GTEST_SKIP() << "there are no recorded exchanges in " << transcripts_folder()
                 << ", so the page is not compared; set TOKENRAIL_TRANSCRIPTS to the folder that has them";
  }
  std::map<std::string, Evidence> seen;
  for (const auto& provider : providers_with_evidence()) seen.emplace(provider, evidence_of(provider));
  for (const auto& lack : lacks) {
    const auto& recorded = seen.at(std::string(lack.provider)).recorded;
    const auto shown = recorded.find(lack.feature);
    EXPECT_TRUE(shown == recorded.end()) << lack.provider << " is said to lack "
                                         << feature_names.at(static_cast<std::size_t>(lack.feature)) << ", but "
                                         << shown->second.front() << " has it";
  }
  const auto source = fmt::format("Made from a collection of recordings: {}.\n", recordings);
  if (std::getenv("TOKENRAIL_TEST_UPDATE_PAGES") != nullptr) {
    replace_part("matrix", matrix_of(seen));
    replace_part("lacks", lacks_table());
    replace_part("collection", source);
  }
  EXPECT_EQ(part_of_providers_page("lacks"), lacks_table());
  if (described_collection() != recordings) {
    GTEST_SKIP() << "the page was made from other recordings than those in " << transcripts_folder() << " ("
                 << recordings << "), so it is not compared. To write it from these: TOKENRAIL_TEST_UPDATE_PAGES=1";
  }
  EXPECT_EQ(part_of_providers_page("matrix"), matrix_of(seen))
      << "The page is not what this run shows. Write it again:\n  TOKENRAIL_TEST_UPDATE_PAGES=1 "
         "build/dev/bin/conformance-tests --gtest_filter='ProviderMatrix.*'";
}

}  // namespace
}  // namespace tokenrail::conformance
