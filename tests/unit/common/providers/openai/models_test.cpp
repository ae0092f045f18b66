#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/providers/openai/openai.hpp"

namespace tokenrail::providers::openai {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

ModelPage parsed(std::string_view body) {
  auto page = parse_model_list(body, "openai");
  EXPECT_TRUE(page) << (page ? "" : page.error().detail);
  return page ? *page : ModelPage{};
}

ListedModel listed(const std::string& entry) {
  const auto page = parsed(R"({"object":"list","data":[)" + entry + "]}");
  EXPECT_THAT(page.models, SizeIs(1)) << page.first_skipped;
  return page.models.empty() ? ListedModel{} : page.models[0];
}

TEST(OpenAiModels, RequestsListOrAPageOfIt) {
  const auto* const lister = provider().lister();
  ASSERT_NE(lister, nullptr);
  const Target target{.provider = "openrouter", .base_url = "https://openrouter.ai/api/v1"};
  EXPECT_EQ(lister->list(target, "").url, "https://openrouter.ai/api/v1/models");
  EXPECT_EQ(lister->list(target, "offset=5").url, "https://openrouter.ai/api/v1/models?offset=5");
  EXPECT_EQ(lister->list({.base_url = "http://host"}, "").url, "http://host/v1/models");
}

TEST(OpenAiModels, EachServersFieldsAreRead) {
  const auto vllm = listed(R"({"id":"a/b","owned_by":"vllm","max_model_len":4096})");
  EXPECT_EQ(vllm.name, "a/b");
  EXPECT_EQ(vllm.context_length, 4096);
  EXPECT_THAT(vllm.capabilities, IsEmpty());

  const auto groq = listed(R"({"id":"m","active":true,"context_window":131072,"max_completion_tokens":8192,)"
                           R"("name":"M","input_modalities":["text","image"],"output_modalities":["text"]})");
  EXPECT_EQ(groq.context_length, 131072);
  EXPECT_EQ(groq.output_tokens_max, 8192);
  EXPECT_EQ(groq.display_name, "M");
  EXPECT_THAT(groq.capabilities, ElementsAre("chat", "vision"));

  const auto mistral =
      listed(R"({"id":"m","name":"m","max_context_length":32768,"capabilities":{"completion_chat":true,)"
             R"("function_calling":true,"vision":false,"reasoning":true,"completion_fim":true}})");
  EXPECT_EQ(mistral.context_length, 32768);
  EXPECT_EQ(mistral.display_name, "") << "the name again is no other name";
  EXPECT_THAT(mistral.capabilities, ElementsAre("chat", "fill_in_middle", "reasoning", "tools"));

  const auto openrouter =
      listed(R"({"id":"q/x","name":"Q: X","context_length":1000,"architecture":{"input_modalities":["text","image",)"
             R"("file"],"output_modalities":["text"]},"top_provider":{"context_length":900,)"
             R"("max_completion_tokens":100},"supported_parameters":["tools","reasoning","structured_outputs",)"
             R"("response_format","top_k"],"pricing":{"prompt":"0.0000025","completion":"0.00001","image":"1",)"
             R"("overrides":[{"min_prompt_tokens":128000,"prompt":"0.000005"}]}})");
  const Price input{.key = {.dimension = PriceDimension::input}, .micros = 2'500'000};
  const Price of_long{.key = {.dimension = PriceDimension::input, .min_context_tokens = 128'000}, .micros = 5'000'000};
  const Price output{.key = {.dimension = PriceDimension::output}, .micros = 10'000'000};
  EXPECT_EQ(openrouter.prices, (std::vector{input, of_long, output}));
  EXPECT_EQ(mistral.prices, std::nullopt);
  EXPECT_EQ(listed(R"({"id":"t","type":"chat","pricing":{"input":3,"output":15}})").prices, std::nullopt)
      << "numbers in units of its own";
  EXPECT_EQ(listed(R"({"id":"auto","pricing":{"prompt":"-1","completion":"-1"}})").prices, std::vector<Price>())
      << "it depends on the model that is chosen";
  EXPECT_EQ(openrouter.context_length, 1000);
  EXPECT_EQ(openrouter.output_tokens_max, 100);
  EXPECT_THAT(openrouter.capabilities,
              ElementsAre("chat", "files", "json_mode", "json_schema", "reasoning", "tools", "vision"));

  const auto llamacpp = listed(R"({"id":"m","meta":{"n_ctx":16384,"n_ctx_train":262144,"size":1328,"ftype":"Q4_K"}})");
  EXPECT_EQ(llamacpp.context_length, 16384);
  EXPECT_EQ(llamacpp.size_bytes, 1328);
  EXPECT_EQ(llamacpp.quantization, "Q4_K");

  const auto lmstudio =
      listed(R"({"type":"llm","key":"q/m","display_name":"M","architecture":"qwen3","quantization":{"name":"4bit"},)"
             R"("size_bytes":5,"params_string":"4B","max_context_length":262144,)"
             R"("capabilities":{"vision":false,"trained_for_tool_use":true}})");
  EXPECT_EQ(lmstudio.name, "q/m");
  EXPECT_EQ(lmstudio.family, "qwen3");
  EXPECT_EQ(lmstudio.parameter_size, "4B");
  EXPECT_EQ(lmstudio.quantization, "4bit");
  EXPECT_THAT(lmstudio.capabilities, ElementsAre("chat", "tools"));
}

TEST(OpenAiModels, ReadsTogethersPricesPerMillionTokens) {
  const auto prices = [](const std::string& type, const std::string& pricing) {
    return listed(R"({"id":"t",)" + type + R"("pricing":{"hourly":0,"base":0,)" + pricing + "}}").prices;
  };
  const auto price = [](PriceDimension dimension, std::int64_t micros) {
    return Price{.key = {.dimension = dimension}, .micros = micros};
  };
  const std::string chat = R"("type":"chat",)";
  const auto input = price(PriceDimension::input, 60'000);
  const auto output = price(PriceDimension::output, 1'040'000);
  EXPECT_EQ(prices(chat, R"("input":0.060000000000000005,"output":1.0399999999999998,"cached_input":0.3)"),
            (std::vector{input, output, price(PriceDimension::cache_read, 300'000)}));
  EXPECT_EQ(prices(chat, R"("input":0.06,"output":1.04,"cached_input":0)"), (std::vector{input, output}))
      << "a cache without a price is not free";
  EXPECT_EQ(prices(chat, R"("input":0,"output":0)"), std::nullopt) << "it is billed by the hour";
  EXPECT_EQ(prices(R"("type":"audio",)", R"("input":65,"output":0)"), std::nullopt) << "a price of characters";
  EXPECT_EQ(prices("", R"("input":3,"output":15)"), std::nullopt) << "it does not say what is counted";
}

TEST(OpenAiModels, ListMayBeBareOrUnderAnotherName) {
  EXPECT_THAT(parsed(R"([{"id":"a"},{"id":"b"}])").models, SizeIs(2));
  EXPECT_THAT(parsed(R"({"models":[{"key":"a"}]})").models, SizeIs(1));
  EXPECT_THAT(parsed(R"({"models":[{"name":"a"}],"object":"list","data":[{"id":"b"}]})").models[0].name,
              testing::Eq("b"));
  EXPECT_THAT(parsed(R"({"data":[]})").models, IsEmpty());
}

TEST(OpenAiModels, ABadEntryCostsThatEntry) {
  const auto page = parsed(R"({"data":[{"id":"a"},7,{"id":null},{"id":"a"},{"id":"b","context_length":"many",)"
                           R"("capabilities":7,"architecture":[]},{"id":"c","created":18446744073709551616}]})");
  ASSERT_THAT(page.models, SizeIs(2));
  EXPECT_EQ(page.models[1].name, "b");
  EXPECT_FALSE(page.models[1].context_length);
  EXPECT_EQ(page.skipped, 4U);
  EXPECT_THAT(page.first_skipped, HasSubstr("entry 2"));
}

TEST(OpenAiModels, InactiveModelsAreLeftOut) {
  const auto page = parsed(R"({"data":[{"id":"a","active":false},{"id":"b","active":null}]})");
  ASSERT_THAT(page.models, SizeIs(1));
  EXPECT_EQ(page.skipped, 0U);
}

TEST(OpenAiModels, NextPageIsNamed) {
  EXPECT_EQ(parsed(R"({"data":[{"id":"a"}],"links":{"next":"https://x/models?offset=1&limit=1"}})").next,
            "offset=1&limit=1");
  EXPECT_EQ(parsed(R"({"data":[{"id":"a"}],"links":{"next":null}})").next, "");
  EXPECT_EQ(parsed(R"({"data":[{"id":"a/b"}],"has_more":true})").next, "after=a%2Fb");
  EXPECT_EQ(parsed(R"({"data":[{"id":"a"}],"has_more":false})").next, "");
}

TEST(OpenAiModels, OtherBodiesThanListsAreErrors) {
  for (const auto* const body : {"", "<html>", "7", "{}", R"({"data":7})", R"({"data":[{"id":)",
                                 R"({"error":{"message":"cut","details":{"reason.","type":"x"}})"}) {
    const auto page = parse_model_list(body, "openai");
    ASSERT_FALSE(page) << body;
    EXPECT_EQ(page.error().kind, ErrorKind::unavailable);
  }
  EXPECT_THAT(parse_model_list("<html>", "openai").error().detail, HasSubstr("web page"));
}

Result<Embedder::Answer> embeddings(std::string_view body) {
  return provider().embedder()->parse(body);
}

TEST(OpenAiEmbeddings, RequestHasAllTexts) {
  const Target target{.provider = "openai", .base_url = "http://h", .upstream_name = "e"};
  const auto request = provider().embedder()->embed({.texts = {"a", "b"}, .dimensions = 3}, target);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->url, "http://h/v1/embeddings");
  EXPECT_EQ(request->body, R"({"model":"e","input":["a","b"],"dimensions":3})");
  EXPECT_EQ(provider()
                .embedder()
                ->embed({.texts = {"a"}, .dimensions = 3}, {.provider = "mistral", .upstream_name = "e"})
                ->body,
            R"({"model":"e","input":["a"],"output_dimension":3})");
  EXPECT_FALSE(provider().embedder()->embed({}, target));
}

TEST(OpenAiEmbeddings, VectorsAreInTheOrderOfTheTexts) {
  const auto answer = embeddings(R"({"data":[{"index":1,"embedding":[3]},{"index":0,"embedding":[1.5,-2]}],)"
                                 R"("usage":{"prompt_tokens":6}})");
  ASSERT_TRUE(answer);
  ASSERT_THAT(answer->vectors, SizeIs(2));
  EXPECT_THAT(answer->vectors[0], ElementsAre(FloatEq(1.5F), FloatEq(-2)));
  EXPECT_THAT(answer->vectors[1], ElementsAre(FloatEq(3)));
  EXPECT_EQ(answer->input_tokens, 6);
}

TEST(OpenAiEmbeddings, Base64IsFloatsOrDoubles) {
  const auto floats = embeddings(R"({"data":[{"embedding":"AACAPwAAAMA="}]})");
  ASSERT_TRUE(floats) << floats.error().detail;
  EXPECT_THAT(floats->vectors[0], ElementsAre(FloatEq(1), FloatEq(-2)));
  // Eight doubles of 1.0.
  const auto doubles = embeddings(
      R"({"data":[{"embedding":"AAAAAAAA8D8AAAAAAADwPwAAAAAAAPA/AAAAAAAA8D8AAAAAAADwPwAAAAAAAPA/AAAAAAAA8D8AAAAAAADwPw=="}]})");
  ASSERT_TRUE(doubles) << doubles.error().detail;
  EXPECT_THAT(doubles->vectors[0], testing::AllOf(SizeIs(8), testing::Each(FloatEq(1))));
}

TEST(OpenAiEmbeddings, AnswerWithoutAVectorIsAnError) {
  for (const auto* const body :
       {"", "[]", "{}", R"({"data":[{"index":0}]})", R"({"data":[{"embedding":[]}]})",
        R"({"data":[{"embedding":["x"]}]})", R"({"data":[{"embedding":"AAA"}]})", R"({"data":[{"embedding":"!!!!"}]})",
        R"({"data":[{"embedding":"AACA"}]})", R"({"data":[{"index":1,"embedding":[1]}]})",
        R"({"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]})"}) {
    EXPECT_FALSE(embeddings(body)) << body;
  }
}

TEST(OpenAiRerank, RequestNamesModelQueryAndDocuments) {
  Target target{.provider = "vllm", .base_url = "http://h", .upstream_name = "bge"};
  const auto request = provider().reranker()->rerank({.query = "q", .documents = {"a", "b"}, .top = 1}, target);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->url, "http://h/v1/rerank");
  EXPECT_EQ(request->body, R"({"model":"bge","query":"q","documents":["a","b"],"top_n":1})");
  target.base_url = "https://api.together.xyz/v1";
  EXPECT_EQ(provider().reranker()->rerank({.query = "q", .documents = {"a"}}, target)->url,
            "https://api.together.xyz/v1/rerank");
  EXPECT_FALSE(provider().reranker()->rerank({.query = "q"}, target));
}

TEST(OpenAiRerank, ScoresComeBestFirst) {
  // As vLLM answers, with the documents, and llama.cpp, whose scores may be below zero.
  const auto answer = provider().reranker()->parse(
      R"({"id":"rerank-1","model":"bge","usage":{"total_tokens":5},"results":[)"
      R"({"index":0,"document":{"text":"a"},"relevance_score":-3.5},{"index":1,"relevance_score":0.75}]})");
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->scores, ElementsAre(Pair(1, 0.75), Pair(0, -3.5)));
}

TEST(OpenAiRerank, ResultWithoutIndexOrScoreIsAnError) {
  // The last is of Hugging Face's text-embeddings-inference, an API of its own.
  for (const auto* const body : {"", "{}", R"({"results":[{"index":1}]})", R"([{"index":0,"score":0.5}])"}) {
    const auto answer = provider().reranker()->parse(body);
    ASSERT_FALSE(answer) << body;
    EXPECT_THAT(answer.error().detail, HasSubstr("the answer to /rerank"));
  }
}

}  // namespace
}  // namespace tokenrail::providers::openai
