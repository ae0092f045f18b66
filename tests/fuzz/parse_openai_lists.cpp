#include <cmath>

#include "common/providers/openai/classification.hpp"
#include "common/providers/openai/openai.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  if (const auto page = providers::openai::parse_model_list(text, "openai")) {
    for (const auto& model : page->models) {
      fuzz::expect(!model.name.empty());
      fuzz::expect(model.context_length.value_or(1) > 0 && model.output_tokens_max.value_or(1) > 0);
    }
    fuzz::expect((page->skipped == 0) == page->first_skipped.empty());
  } else {
    fuzz::expect(!page.error().detail.empty());
  }
  if (const auto answer = providers::openai::parse_embeddings(text)) {
    for (const auto& vector : answer->vectors) fuzz::expect(!vector.empty());
  } else {
    fuzz::expect(!answer.error().detail.empty());
  }
  const auto failure = providers::openai::classify_stream_error("The server", text);
  fuzz::expect(!failure.failure.message.empty() && !failure.error_class.empty());
  return 0;
}
