#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/gemini/gemini.hpp"

namespace tokenrail::providers::gemini {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Target target{.provider = "gemini", .base_url = "https://g.example", .upstream_name = "gemini-embedding-001"};

Result<ModelPage> parsed(std::string_view body) {
  return lister().parse(target, body);
}

TEST(GeminiModels, PagesAreAskedForByToken) {
  const auto first = provider().lister()->list(target, "");
  EXPECT_EQ(first.method, "GET");
  EXPECT_EQ(first.url, "https://g.example/v1beta/models?pageSize=1000");
  EXPECT_EQ(lister().list(target, "a/b=").url, "https://g.example/v1beta/models?pageSize=1000&pageToken=a%2Fb%3D");
  const Target keyed{.base_url = "https://g.example",
                     .credential = {.type = AuthType::header, .name = "x-goog-api-key", .secret = Secret("k")}};
  EXPECT_EQ(lister().list(keyed, "").headers.back().name, "x-goog-api-key");
  const Target vertex{.base_url = "https://eu-aiplatform.googleapis.com/v1/projects/p/locations/eu"};
  EXPECT_EQ(lister().list(vertex, "").url,
            "https://eu-aiplatform.googleapis.com/v1beta1/publishers/google/models?pageSize=100");
}

TEST(GeminiModels, EntriesAreReadWithTheirLimits) {
  const auto page = parsed(R"({"models":[
    {"name":"models/gemini-2.5-pro","displayName":"Gemini 2.5 Pro","inputTokenLimit":1048576,"outputTokenLimit":65536,
     "supportedGenerationMethods":["countTokens","generateContent"],"thinking":true},
    {"name":"models/gemini-embedding-001","inputTokenLimit":2048,"outputTokenLimit":0,
     "supportedGenerationMethods":["embedContent"]},
    {"name":"models/veo","supportedGenerationMethods":["predictLongRunning"]},
    {"name":"tunedModels/t","supportedGenerationMethods":7}],"nextPageToken":"next"})");
  ASSERT_TRUE(page) << page.error().detail;
  ASSERT_EQ(page->models.size(), 4U);
  EXPECT_EQ(page->next, "next");
  EXPECT_EQ(page->models[0].name, "gemini-2.5-pro");
  EXPECT_EQ(page->models[0].display_name, "Gemini 2.5 Pro");
  EXPECT_EQ(page->models[0].context_length, 1'048'576);
  EXPECT_EQ(page->models[0].output_tokens_max, 65'536);
  EXPECT_THAT(page->models[0].capabilities, ElementsAre("chat", "streaming", "reasoning"));
  EXPECT_THAT(page->models[1].capabilities, ElementsAre("embedding"));
  EXPECT_FALSE(page->models[1].output_tokens_max);
  EXPECT_THAT(page->models[2].capabilities, ElementsAre("other"));
  EXPECT_THAT(page->models[3].capabilities, IsEmpty());
  const auto facts = [&](std::size_t at) { return lister().facts(page->models.at(at), nullptr); };
  EXPECT_EQ(facts(0).kind, "generation");
  EXPECT_EQ(facts(0).context_window, 1'048'576);
  EXPECT_EQ(facts(0).capabilities.at("reasoning"), events::Support::supported);
  EXPECT_FALSE(facts(0).capabilities.contains("tools")) << "the list does not say";
  EXPECT_EQ(facts(1).kind, "embedding");
  EXPECT_EQ(facts(2).kind, "other");
  EXPECT_THAT(facts(2).capabilities, IsEmpty());
  EXPECT_EQ(facts(3).kind, "generation");
  EXPECT_EQ(page->models[3].name, "tunedModels/t");
}

TEST(GeminiModels, OneBadEntryCostsThatEntry) {
  const auto page = parsed(
      R"({"models":[{"name":"models/a"},7,{"name":7},{"name":"models/"},{"name":"models/a"},)"
      R"({"name":"models/big","inputTokenLimit":99999999999999999999},{"name":"models/b","inputTokenLimit":"5"}]})");
  ASSERT_TRUE(page) << page.error().detail;
  ASSERT_EQ(page->models.size(), 2U);
  EXPECT_EQ(page->models[1].name, "b");
  EXPECT_EQ(page->models[1].context_length, 5);
  EXPECT_EQ(page->skipped, 5U);
  EXPECT_EQ(page->first_skipped, "entry 2 is a number, not an object");
}

TEST(GeminiModels, AnEmptyObjectIsAnEmptyList) {
  const auto page = parsed("{}");
  ASSERT_TRUE(page);
  EXPECT_THAT(page->models, IsEmpty());
  EXPECT_EQ(parsed(R"({"publisherModels":[{"name":"publishers/google/models/gemini-x"}]})")->models.at(0).name,
            "gemini-x");
}

TEST(GeminiModels, RefusesOtherBodiesThanLists) {
  for (const auto* body : {"", "[]", "7", "{", R"({"models":7})", R"({"models":[{"name":"a"})", R"({"other":1})",
                           "<html>", R"({"error":{"code":403}})", R"({"models":[]} x)"}) {
    EXPECT_FALSE(parsed(body)) << body;
  }
  EXPECT_THAT(parsed(R"({"object":"list","data":[]})").error().detail, HasSubstr("OpenAI-compatible"));
}

TEST(GeminiEmbeddings, TextsBecomeOneBatch) {
  const auto request = provider().embedder()->embed({.texts = {"a", "b"}, .dimensions = 768}, target);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->url, "https://g.example/v1beta/models/gemini-embedding-001:batchEmbedContents");
  EXPECT_EQ(request->body,
            R"({"requests":[{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a"}]},)"
            R"("outputDimensionality":768},{"model":"models/gemini-embedding-001","content":{"parts":[{"text":"b"}]},)"
            R"("outputDimensionality":768}]})");
  EXPECT_FALSE(embedder().embed({}, target));
  EXPECT_FALSE(embedder().embed({.texts = std::vector<std::string>(101, "x")}, target));
  const auto vertex = embedder().embed({.texts = {"a"}}, {.base_url = "https://aiplatform.googleapis.com"});
  ASSERT_FALSE(vertex);
  EXPECT_EQ(vertex.error().kind, ErrorKind::invalid_input);
}

TEST(GeminiEmbeddings, VectorsAreReadInTheirOrder) {
  const auto many = embedder().parse(
      R"({"embeddings":[{"values":[0.5,1]},{"values":[-2e-1]}],"usageMetadata":{"promptTokenCount":3}})");
  ASSERT_TRUE(many) << many.error().detail;
  EXPECT_THAT(many->vectors, ElementsAre(ElementsAre(0.5F, 1.0F), ElementsAre(-0.2F)));
  EXPECT_EQ(many->input_tokens, 3);
  const auto one = embedder().parse(R"({"embedding":{"values":[1]}})");
  ASSERT_TRUE(one);
  EXPECT_THAT(one->vectors, ElementsAre(ElementsAre(1.0F)));
  EXPECT_FALSE(one->input_tokens);
  for (const auto* body :
       {"", "{}", "[]", R"({"embeddings":[]})", R"({"embeddings":[7]})", R"({"embeddings":[{"values":[]}]})",
        R"({"embeddings":[{"values":["x"]}]})", R"({"embedding":{"values":[1e300]}})"}) {
    EXPECT_FALSE(embedder().parse(body)) << body;
  }
}

}  // namespace
}  // namespace tokenrail::providers::gemini
