#include "common/providers/ollama/ollama.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  if (const auto list = providers::ollama::parse_model_list(text)) {
    for (const auto& model : list->models) fuzz::expect(!model.name.empty() && model.size_bytes >= 0);
    fuzz::expect((list->skipped > 0) == !list->first_skipped.empty());
  }
  if (const auto details = providers::ollama::parse_model_details(text)) {
    fuzz::expect(details->context_length.value_or(1) > 0 && details->embedding_length.value_or(1) > 0);
    fuzz::expect(details->capabilities_known || details->capabilities.empty());
  }
  return 0;
}
