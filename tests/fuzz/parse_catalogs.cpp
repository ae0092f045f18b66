#include <set>

#include "common/catalog/catalog.hpp"
#include "common/catalog/decimal.hpp"
#include "tests/fuzz/expect.hpp"

using namespace tokenrail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = fuzz::text_of(bytes, size);
  for (const auto source :
       {catalog::Source::litellm, catalog::Source::models_dev, catalog::Source::openrouter, catalog::Source::ollama}) {
    const auto read = catalog::read_catalog(source, text);
    if (!read) {
      fuzz::expect(!read.error().detail.empty());
      continue;
    }
    for (const auto& refused : read->refused) fuzz::expect(!refused.reason.empty());
    std::set<std::pair<std::string, std::string>> models;
    for (const auto& entry : read->entries) {
      const auto& row = entry.row;
      fuzz::expect(!row.provider.empty() && !row.model_name.empty() && row.model_name.size() <= 255);
      fuzz::expect(models.emplace(row.provider, row.model_name).second);
      fuzz::expect(row.context_window.value_or(1) > 0 && row.input_tokens_max.value_or(1) > 0);
      std::set<PriceKey> keys;
      for (const auto& price : row.prices) {
        fuzz::expect(price.micros >= 0 && price.micros <= price_micros_max && price.key.min_context_tokens >= 0);
        fuzz::expect(keys.insert(price.key).second);
      }
    }
  }
  for (const int power : {0, 6, 12})
    if (const auto number = catalog::scaled(text, power)) fuzz::expect(number->value >= 0);
  return 0;
}
