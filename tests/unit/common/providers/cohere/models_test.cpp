// Cohere's list of models, embeddings and rerank.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/cohere/cohere.hpp"

namespace tokenrail::providers::cohere {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

const Target target{.provider = "cohere",
                    .base_url = "https://api.cohere.com",
                    .upstream_name = "embed-v4.0",
                    .credential = {.type = AuthType::bearer, .secret = Secret("key-1")}};

Result<ModelPage> parsed(std::string_view body) {
  return provider().lister()->parse(target, body);
}

TEST(CohereModels, TheListIsAskedForPageByPage) {
  const auto first = provider().lister()->list(target, "");
  EXPECT_EQ(first.method, "GET");
  EXPECT_EQ(first.url, "https://api.cohere.com/v1/models?page_size=1000");
  EXPECT_EQ(first.headers.back().value, "Bearer key-1");
  EXPECT_TRUE(first.headers.back().secret);
  EXPECT_EQ(provider().lister()->list(target, "a+/=").url,
            "https://api.cohere.com/v1/models?page_size=1000&page_token=a%2B%2F%3D");
}

TEST(CohereModels, EndpointsAndFeaturesBecomeCapabilities) {
  const auto page =
      parsed(R"({"models":[{"name":"command-a","endpoints":["generate","chat"],"context_length":288000,)"
             R"("features":["tools","vision","vision","reasoning","json_schema"]},)"
             R"({"name":"embed","endpoints":["embed","embed_image"],"context_length":0,"features":null},)"
             R"({"name":"rerank","endpoints":["rerank"],"context_length":4096.0},)"
             R"({"name":"hear","endpoints":["transcriptions"]},{"name":"sort","endpoints":["classify"]}],)"
             R"("next_page_token":"p2"})");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->models.size(), 5U);
  EXPECT_EQ(page->models[0].name, "command-a");
  EXPECT_EQ(page->models[0].context_length, 288000);
  EXPECT_THAT(page->models[0].capabilities,
              ElementsAre("generate", "chat", "streaming", "tools", "vision", "reasoning", "json_schema"));
  EXPECT_THAT(page->models[1].capabilities, ElementsAre("embedding"));
  EXPECT_FALSE(page->models[1].context_length);
  EXPECT_THAT(page->models[2].capabilities, ElementsAre("rerank"));
  EXPECT_EQ(page->models[2].context_length, 4096);
  EXPECT_THAT(page->models[3].capabilities, ElementsAre("transcription"));
  EXPECT_THAT(page->models[4].capabilities, ElementsAre("classification"));
  EXPECT_EQ(page->next, "p2");
  EXPECT_EQ(page->skipped, 0U);
}

TEST(CohereModels, OneBadEntryCostsThatEntry) {
  const auto page =
      parsed(R"({"models":[7,{"endpoints":["chat"]},{"name":5},{"name":"a","endpoints":7,"features":[7,""],)"
             R"("context_length":"x"},{"name":"a"},{"name":"b","x":1e999}, {"name":"c"}],"next_page_token":7})");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->models.size(), 2U);
  EXPECT_EQ(page->models[0].name, "a");
  EXPECT_THAT(page->models[0].capabilities, IsEmpty());
  EXPECT_EQ(page->models[1].name, "c");
  EXPECT_EQ(page->skipped, 5U);
  EXPECT_EQ(page->first_skipped, "entry 1 is not an object");
  EXPECT_EQ(page->next, "");
}

TEST(CohereModels, AnEmptyListIsAList) {
  for (const auto* body : {R"({"models":[]})", R"({"models":null})"}) {
    const auto page = parsed(body);
    ASSERT_TRUE(page) << body;
    EXPECT_THAT(page->models, IsEmpty());
  }
}

TEST(CohereModels, ErrorNamesWhatOtherBodyLooksLike) {
  for (const auto* body : {"", "[]", "{}", "7", R"({"models":7})", R"({"models":[{"name":"a")", R"({"models":[]} x)"}) {
    EXPECT_FALSE(parsed(body)) << body;
  }
  const auto page = parsed("<html>hi</html>");
  ASSERT_FALSE(page);
  EXPECT_THAT(page.error().detail, HasSubstr("web page"));
}

TEST(CohereEmbeddings, ARequestNamesModelTypeAndTexts) {
  const auto request = provider().embedder()->embed({.texts = {"a", "b\""}, .dimensions = 256}, target);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->url, "https://api.cohere.com/v2/embed");
  EXPECT_EQ(request->body, R"({"model":"embed-v4.0","input_type":"search_document","embedding_types":["float"],)"
                           R"("output_dimension":256,"texts":["a","b\""]})");
}

TEST(CohereEmbeddings, AsManyTextsAsOneCallTakes) {
  const auto with = [](std::size_t count) {
    return provider().embedder()->embed({.texts = std::vector<std::string>(count, "a")}, target).has_value();
  };
  EXPECT_FALSE(with(0));
  EXPECT_TRUE(with(96));
  EXPECT_FALSE(with(97));
}

TEST(CohereEmbeddings, ReadsVectorsByTypeOrAsList) {
  for (const auto* body : {R"({"embeddings":{"float":[[0.5,-1],[2,3]]},"meta":{"billed_units":{"input_tokens":7}}})",
                           R"({"embeddings":[[0.5,-1],[2,3]],"meta":{"billed_units":{"input_tokens":7}}})"}) {
    const auto answer = provider().embedder()->parse(body);
    ASSERT_TRUE(answer) << body;
    EXPECT_THAT(answer->vectors, ElementsAre(ElementsAre(0.5F, -1.0F), ElementsAre(2.0F, 3.0F)));
    EXPECT_EQ(answer->input_tokens, 7);
  }
  const auto bare = provider().embedder()->parse(R"({"embeddings":{"float":[[1]]},"meta":7})");
  ASSERT_TRUE(bare);
  EXPECT_FALSE(bare->input_tokens);
}

TEST(CohereEmbeddings, WrongVectorIsAnError) {
  for (const auto* body : {"", "{}", "7", R"({"embeddings":{"int8":[[1]]}})", R"({"embeddings":{"float":[7]}})",
                           R"({"embeddings":{"float":[["a"]]}})", R"({"embeddings":{"float":[[]]}})"}) {
    EXPECT_FALSE(provider().embedder()->parse(body)) << body;
  }
}

TEST(CohereRerank, ARequestNamesModelQueryAndDocuments) {
  const auto request = provider().reranker()->rerank({.query = "q", .documents = {"a", "b"}, .top = 1}, target);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->url, "https://api.cohere.com/v2/rerank");
  EXPECT_EQ(request->body, R"({"model":"embed-v4.0","query":"q","documents":["a","b"],"top_n":1})");
  EXPECT_FALSE(provider().reranker()->rerank({.query = "q"}, target));
}

TEST(CohereRerank, ScoresComeBestFirst) {
  const auto answer = provider().reranker()->parse(
      R"({"results":[{"index":1,"relevance_score":0.25},{"index":3,"relevance_score":0.75},)"
      R"({"index":0,"relevance_score":0.25}]})");
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->scores, ElementsAre(Pair(3, 0.75), Pair(0, 0.25), Pair(1, 0.25)));
}

TEST(CohereRerank, ResultWithoutIndexOrScoreIsAnError) {
  for (const auto* body :
       {"", "{}", R"({"results":7})", R"({"results":[7]})", R"({"results":[{"index":1}]})",
        R"({"results":[{"index":-1,"relevance_score":1}]})", R"({"results":[{"relevance_score":1}]})"}) {
    EXPECT_FALSE(provider().reranker()->parse(body)) << body;
  }
}

}  // namespace
}  // namespace tokenrail::providers::cohere
