#include "common/providers/provider.hpp"

#include "common/providers/ollama/ollama.hpp"

namespace tokenrail::providers {

const Provider* find_provider(std::string_view adapter) {
  struct Row {
    std::string_view adapter;
    const Provider& (*provider)();
  };
  static constexpr Row rows[] = {{"ollama", &ollama::provider}};
  for (const auto& row : rows) {
    if (row.adapter == adapter) return &row.provider();
  }
  return nullptr;
}

}  // namespace tokenrail::providers
