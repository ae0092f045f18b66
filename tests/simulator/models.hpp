// The models that the simulator pretends to have, and what it says of them in /api/tags and /api/show. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.hpp"

namespace tokenrail::simulator {

struct Model {
  std::string name{};
  std::string digest{};  ///< empty: made from the name
  std::vector<std::string> capabilities = {"completion", "tools"};
  bool capabilities_told = true;  ///< false: as servers before 0.6.4
  std::int64_t context_length = 8192;
  std::string family = "llama";
  std::string parameter_size = "1.0B";
  std::string quantization = "Q4_K_M";
  std::int64_t size_bytes = 1'000'000'000;
  std::string modified_at = "2026-01-01T00:00:00Z";

  [[nodiscard]] bool can(std::string_view capability) const;
};

/// Two models: sim-chat:1b (completion, tools), sim-think:1b (also thinking and vision).
[[nodiscard]] std::vector<Model> default_models();
/// Models of these names with everything else as by default: "a,b:7b".
[[nodiscard]] std::vector<Model> models_named(std::string_view names);
/// An array of names or of objects {name, digest, capabilities, contextLength, family, parameterSize, quantization,
/// sizeBytes, modifiedAt}; `"capabilities": null` is a server that does not tell them.
[[nodiscard]] Result<std::vector<Model>> models_from_json(std::string_view json);

/// As Ollama resolves names: "x" is "x:latest". Null: there is none.
[[nodiscard]] const Model* find_model(const std::vector<Model>& models, std::string_view name);

[[nodiscard]] std::string tags_json(const std::vector<Model>& models);
[[nodiscard]] std::string show_json(const Model& model);

}  // namespace tokenrail::simulator
