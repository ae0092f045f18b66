#include "common/providers/provider.hpp"

#include "common/providers/ollama/ollama.hpp"

namespace tokenrail::providers {

namespace {

struct Row {
  std::string_view adapter;
  const Provider& (*provider)();
};
constexpr Row rows[] = {{"ollama", &ollama::provider}};

}  // namespace

std::vector<std::string> adapter_names() {
  std::vector<std::string> names;
  for (const auto& row : rows) names.emplace_back(row.adapter);
  return names;
}

const Provider* find_provider(std::string_view adapter) {
  for (const auto& row : rows) {
    if (row.adapter == adapter) return &row.provider();
  }
  return nullptr;
}

}  // namespace tokenrail::providers
