#include "common/catalog/inference.hpp"

#include <gtest/gtest.h>

namespace tokenrail::catalog {
namespace {

TEST(Inference, NameGivesFamilySizeQuantisationAndContext) {
  const auto inferred = infer("llama3.1:8b-instruct-q4_K_M");
  EXPECT_EQ(inferred.family, "llama");
  EXPECT_EQ(inferred.parameter_size, "8B");
  EXPECT_EQ(inferred.quantization, "Q4_K_M");
  EXPECT_EQ(inferred.context_window, 131'072);
  EXPECT_TRUE(inferred.capabilities.at("tools"));
  EXPECT_EQ(inferred.rules.at("contextWindow"), "family:llama3.1");
  EXPECT_EQ(inferred.rules.at("quantization"), "name:quantization");
  EXPECT_EQ(inferred.rules.at("capabilities.tools"), "family:llama3.1");
}

TEST(Inference, LongerPrefixDecides) {
  EXPECT_EQ(infer("llama3:8b").context_window, 8'192);
  EXPECT_EQ(infer("llama3.2-vision:11b").capabilities, (std::map<std::string, bool>{{"vision", true}}));
  EXPECT_EQ(infer("gpt-4o-mini").context_window, 128'000);
  EXPECT_EQ(infer("gpt-3.5-turbo").context_window, std::nullopt);
  EXPECT_EQ(infer("gpt-3.5-turbo").family, "gpt");
}

TEST(Inference, MakersNameIsPassedOver) {
  EXPECT_EQ(infer("meta-llama/Llama-3.1-70B-Instruct").family, "llama");
  EXPECT_EQ(infer("meta-llama/Llama-3.1-70B-Instruct").parameter_size, "70B");
  EXPECT_EQ(infer("vision/other").capabilities.size(), 0U);
}

TEST(Inference, WordsOfTheNameAreCapabilities) {
  EXPECT_TRUE(infer("qwen2.5-vl:7b").capabilities.at("vision"));
  EXPECT_TRUE(infer("qwen2.5-coder:1.5b").capabilities.at("code"));
  EXPECT_EQ(infer("qwen2.5-coder:1.5b").parameter_size, "1.5B");
  EXPECT_TRUE(infer("nomic-embed-text").capabilities.at("embedding"));
  EXPECT_TRUE(infer("deepseek-r1:14b").capabilities.at("reasoning"));
  // Only whole words count.
  EXPECT_FALSE(infer("decoder-7b").capabilities.contains("code"));
  EXPECT_EQ(infer("mixtral:8x7b").parameter_size, "8x7B");
  EXPECT_EQ(infer("phi3:mini-128k").context_window, 128'000);
  EXPECT_EQ(infer("phi3:mini-128k").rules.at("contextWindow"), "name:context");
}

TEST(Inference, UnknownNameSaysNothing) {
  for (const char* name : {"", "zephyr", "model-3k", "b", "x-q9_0", "8", "-", "a:b:c", "1.b", "xb", "99999k"})
    EXPECT_EQ(infer(name), Inferred{}) << name;
  EXPECT_EQ(to_json(infer("zephyr")), "{}");
}

TEST(Inference, IsWrittenWithItsRules) {
  EXPECT_EQ(to_json(infer("llama2:7b")),
            R"({"family":"llama","parameterSize":"7B","contextWindow":4096,"rules":{"contextWindow":"family:llama2",)"
            R"("family":"family:llama2","parameterSize":"name:size"}})");
  EXPECT_EQ(to_json(infer("x-vl")),
            R"({"capabilities":{"vision":"supported"},"rules":{"capabilities.vision":"word:vl"}})");
}

}  // namespace
}  // namespace tokenrail::catalog
