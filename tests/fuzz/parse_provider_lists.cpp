#include <cmath>

#include "common/providers/provider.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

namespace {

void expect_sound_list(const providers::ModelLister& lister, const providers::Target& target, std::string_view text) {
  const auto page = lister.parse(target, text);
  if (!page) {
    fuzz::expect(!page.error().detail.empty());
    return;
  }
  fuzz::expect((page->skipped == 0) == page->first_skipped.empty());
  for (const auto& model : page->models) {
    fuzz::expect(!model.name.empty());
    fuzz::expect(model.context_length.value_or(1) > 0 && model.output_tokens_max.value_or(1) > 0);
    fuzz::expect(!lister.facts(model, nullptr).kind.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  for (const auto& adapter : providers::adapter_names()) {
    const auto& provider = *providers::find_provider(adapter);
    const providers::Target target{
        .provider = adapter, .base_url = "http://127.0.0.1:1", .upstream_name = "m", .credential = {}};
    if (const auto* lister = provider.lister()) {
      expect_sound_list(*lister, target, text);
      if (const auto details = lister->parse_details(text)) fuzz::expect(details->context_length.value_or(1) > 0);
    }
    if (const auto* embedder = provider.embedder()) {
      if (const auto answer = embedder->parse(text)) {
        for (const auto& vector : answer->vectors) fuzz::expect(!vector.empty());
      }
    }
    if (const auto* reranker = provider.reranker()) {
      if (const auto answer = reranker->parse(text)) {
        for (const auto& [index, score] : answer->scores) fuzz::expect(index >= 0 && std::isfinite(score));
      }
    }
  }
  return 0;
}
