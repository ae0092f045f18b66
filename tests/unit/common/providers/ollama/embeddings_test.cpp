#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/ollama/ollama.hpp"

namespace tokenrail::providers::ollama {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(OllamaEmbeddings, RequestHasAllTexts) {
  const auto request =
      embed_texts({.texts = {"one", "\"two\""}}, {.base_url = "http://localhost:11434", .upstream_name = "nomic"});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->url, "http://localhost:11434/api/embed");
  EXPECT_EQ(request->body, R"({"model":"nomic","input":["one","\"two\""]})");
}

TEST(OllamaEmbeddings, RequestNamesDimensions) {
  const auto request = embed_texts({.texts = {"one"}, .dimensions = 64}, {.upstream_name = "m"});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->body, R"({"model":"m","input":["one"],"dimensions":64})");
}

TEST(OllamaEmbeddings, RequestWithoutTextIsRefused) {
  const auto request = embed_texts({}, {.upstream_name = "m"});
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().kind, ErrorKind::invalid_input);
}

TEST(OllamaEmbeddings, AnswerHasAVectorForEachText) {
  const auto answer = parse_embeddings(R"({"model":"m","embeddings":[[0.5,-1],[2,3e-1]],"prompt_eval_count":7})");
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_THAT(answer->vectors, ElementsAre(ElementsAre(0.5F, -1.0F), ElementsAre(2.0F, 0.3F)));
  EXPECT_EQ(answer->input_tokens, 7);
}

TEST(OllamaEmbeddings, AnswerThatLacksAVectorIsRefused) {
  for (const auto* const body :
       {"", "null", "{}", R"({"embeddings":{}})", R"({"embeddings":[[1],[]]})", R"({"embeddings":[[1],["a"]]})",
        R"({"embeddings":[[1],null]})", R"({"error":"model not found"})", R"({"embeddings":[[1])"}) {
    const auto answer = parse_embeddings(body);
    ASSERT_FALSE(answer) << body;
    EXPECT_THAT(answer.error().detail, HasSubstr("/api/embed"));
  }
}

}  // namespace
}  // namespace tokenrail::providers::ollama
