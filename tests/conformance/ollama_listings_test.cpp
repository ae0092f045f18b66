// Every recorded list and description of models, every recorded refusal, and the account of what is not spoken.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/providers/failure_text.hpp"
#include "common/providers/ollama/classification.hpp"
#include "common/providers/ollama/ollama.hpp"
#include "tests/conformance/cuts.hpp"
#include "tests/conformance/exchanges.hpp"

namespace tokenrail::conformance {
namespace {

namespace dom = simdjson::dom;
using testing::HasSubstr;

class OllamaListing : public OllamaExchange {};

TEST_P(OllamaListing, NamesEveryModelOfTheBody) {
  if (call_of(recording_) != Call::tags || recording_.status != 200) return;
  const auto list = providers::ollama::parse_model_list(recording_.body);
  ASSERT_TRUE(list) << list.error().detail;
  dom::parser parser;
  dom::array models;
  ASSERT_EQ(parser.parse(recording_.body)["models"].get_array().get(models), simdjson::SUCCESS);
  ASSERT_EQ(list->models.size() + list->skipped, models.size());
  std::size_t index = 0;
  for (const auto model : models) {
    std::string_view name;
    if (model["name"].get_string().get(name) != simdjson::SUCCESS) continue;
    const auto& listed = list->models.at(index++);
    EXPECT_EQ(listed.name, name);
    EXPECT_EQ(listed.digest, std::string_view(model["digest"].get_string()));
    EXPECT_EQ(listed.size_bytes, std::int64_t(model["size"].get_int64()));
    EXPECT_EQ(listed.modified_at, std::string_view(model["modified_at"].get_string()));
    EXPECT_EQ(listed.family, std::string_view(model["details"]["family"].get_string()));
    EXPECT_EQ(listed.parameter_size, std::string_view(model["details"]["parameter_size"].get_string()));
    EXPECT_EQ(listed.quantization, std::string_view(model["details"]["quantization_level"].get_string()));
  }
}

TEST_P(OllamaListing, DescribesTheModelOfTheBody) {
  if (call_of(recording_) != Call::show || recording_.status != 200) return;
  const auto details = providers::ollama::parse_model_details(recording_.body);
  ASSERT_TRUE(details) << details.error().detail;
  dom::parser parser;
  dom::element root;
  ASSERT_EQ(parser.parse(recording_.body).get(root), simdjson::SUCCESS);
  dom::array capabilities;
  const bool told = root["capabilities"].get_array().get(capabilities) == simdjson::SUCCESS;
  EXPECT_EQ(details->capabilities_known, told);
  EXPECT_EQ(details->capabilities.size(), told ? capabilities.size() : 0U);
  std::string_view architecture;
  if (root["model_info"]["general.architecture"].get_string().get(architecture) == simdjson::SUCCESS) {
    EXPECT_EQ(details->architecture, architecture);
    const auto count = [&](std::string_view suffix) {
      return std::int64_t(root["model_info"][std::string(architecture) + std::string(suffix)].get_int64());
    };
    EXPECT_EQ(details->context_length, count(".context_length"));
    EXPECT_EQ(details->embedding_length, count(".embedding_length"));
    EXPECT_EQ(details->parameter_count, std::int64_t(root["model_info"]["general.parameter_count"].get_int64()));
  }
}

TEST_P(OllamaListing, ARefusalCarriesStatusAndTextOn) {
  if (recording_.status < 300) return;
  http::ResponseHead head{.status = recording_.status};
  for (const auto& [name, value] : recording_.headers) head.headers.push_back({.name = name, .value = value});
  const auto classified = providers::ollama::classify_response(head, recording_.body);
  EXPECT_EQ(classified.failure.status, recording_.status);
  EXPECT_NE(classified.failure.code, events::ErrorCode::internal);
  EXPECT_FALSE(classified.error_class.empty());
  std::string text = recording_.body;
  dom::parser parser;
  std::string_view error;
  if (parser.parse(recording_.body)["error"].get_string().get(error) == simdjson::SUCCESS) text = error;
  EXPECT_THAT(classified.failure.message, HasSubstr(providers::quotable(text.substr(0, 200))));
  if (recording_.status == 404 && call_of(recording_) == Call::chat) {
    EXPECT_EQ(classified.failure.code, events::ErrorCode::model_not_found);
    EXPECT_THAT(classified.failure.message, HasSubstr("ollama pull"));
  }
  if (recording_.status == 503) {
    EXPECT_EQ(classified.failure.code, events::ErrorCode::provider_unavailable);
    EXPECT_TRUE(classified.retry);
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, OllamaListing, testing::ValuesIn(ollama_cases()), test_name);

// So that silence is not taken for coverage: whatever is neither /api/chat, /api/tags nor /api/show is named here.
TEST(OllamaExchanges, AreSpokenOrNamedAsNotSpoken) {
  const auto cases = ollama_cases();
  if (cases.front().empty()) GTEST_SKIP() << "there are no recorded exchanges in " << transcripts_folder() / "ollama";
  int spoken = 0;
  for (const auto& name : cases) {
    const auto recording = simulator::load_recording(transcripts_folder(), name);
    ASSERT_TRUE(recording) << recording.error().detail;
    if (call_of(*recording) != Call::other) {
      ++spoken;
    } else {
      note_skipped(name, fmt::format("{} {} is not spoken; replayed and, where it is a refusal, classified",
                                     recording->method, recording->path));
    }
  }
  EXPECT_GT(spoken, 0);
}

}  // namespace
}  // namespace tokenrail::conformance
