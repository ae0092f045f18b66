#include "common/catalog/inference.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "common/catalog/row_json.hpp"

namespace tokenrail::catalog {

namespace {

/// The first rule whose prefix the name has decides about family and context, so longer prefixes come first. A context
/// of 0 is not known for all models of the family.
struct FamilyRule {
  std::string_view prefix;
  std::string_view family;
  std::int64_t context = 0;
  std::string_view capability{};
  std::string_view other_capability{};
};
constexpr std::array family_rules{
    FamilyRule{"codellama", "llama", 16'384, "code"},
    FamilyRule{"llama4", "llama", 0, "tools", "vision"},
    FamilyRule{"llama-4", "llama", 0, "tools", "vision"},
    FamilyRule{"llama3.2-vision", "llama", 131'072, "vision"},
    FamilyRule{"llama3.1", "llama", 131'072, "tools"},
    FamilyRule{"llama3.2", "llama", 131'072, "tools"},
    FamilyRule{"llama3.3", "llama", 131'072, "tools"},
    FamilyRule{"llama-3.1", "llama", 131'072, "tools"},
    FamilyRule{"llama-3.2", "llama", 131'072, "tools"},
    FamilyRule{"llama-3.3", "llama", 131'072, "tools"},
    FamilyRule{"llama3", "llama", 8'192},
    FamilyRule{"llama2", "llama", 4'096},
    FamilyRule{"llava", "llava", 0, "vision"},
    FamilyRule{"mixtral", "mistral", 32'768},
    FamilyRule{"mistral", "mistral"},
    FamilyRule{"gemma3", "gemma", 0},
    FamilyRule{"gemma2", "gemma", 8'192},
    FamilyRule{"gemma", "gemma"},
    FamilyRule{"qwen3", "qwen", 0, "tools"},
    FamilyRule{"qwen2.5", "qwen", 32'768},
    FamilyRule{"qwen", "qwen"},
    FamilyRule{"qwq", "qwen", 0, "reasoning"},
    FamilyRule{"deepseek-r1", "deepseek", 0, "reasoning"},
    FamilyRule{"deepseek-reasoner", "deepseek", 0, "reasoning"},
    FamilyRule{"deepseek", "deepseek"},
    FamilyRule{"phi4", "phi", 16'384},
    FamilyRule{"phi", "phi"},
    FamilyRule{"gpt-oss", "gpt-oss", 131'072, "tools", "reasoning"},
    FamilyRule{"gpt-4o", "gpt", 128'000, "tools", "vision"},
    FamilyRule{"gpt-4.1", "gpt", 1'047'576, "tools", "vision"},
    FamilyRule{"gpt-5", "gpt", 0, "tools", "vision"},
    FamilyRule{"gpt-", "gpt"},
    FamilyRule{"claude-3", "claude", 200'000, "tools", "vision"},
    FamilyRule{"claude", "claude", 0, "tools", "vision"},
    FamilyRule{"gemini-1.5-flash", "gemini", 1'048'576, "tools", "vision"},
    FamilyRule{"gemini-2", "gemini", 0, "tools", "vision"},
    FamilyRule{"gemini", "gemini"},
    FamilyRule{"command-r", "command", 128'000, "tools"},
    FamilyRule{"granite", "granite"},
    FamilyRule{"smollm", "smollm"},
    FamilyRule{"nomic-embed", "nomic-bert", 0, "embedding"},
};

/// Words that a name may have as one of its parts.
struct WordRule {
  std::string_view word;
  std::string_view capability;
};
constexpr std::array word_rules{
    WordRule{"vision", "vision"},      WordRule{"vl", "vision"},           WordRule{"coder", "code"},
    WordRule{"code", "code"},          WordRule{"embed", "embedding"},     WordRule{"embedding", "embedding"},
    WordRule{"thinking", "reasoning"}, WordRule{"reasoning", "reasoning"}, WordRule{"r1", "reasoning"},
};

constexpr std::array<std::string_view, 10> quantizations{"fp16", "f16", "bf16", "fp8",   "int8",
                                                         "int4", "awq", "gptq", "mxfp4", "nvfp4"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}
std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

/// The parts between '-', ':', '/' and blanks. '_' and '.' are inside them: q4_k_m, 1.5b.
std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> parts;
  while (!name.empty()) {
    const auto end = std::min(name.find_first_of("-:/ "), name.size());
    if (end > 0) parts.push_back(name.substr(0, end));
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return parts;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "8b", "1.5b", "270m", "8x7b".
bool is_size(std::string_view part) {
  if (part.size() < 2 || (part.back() != 'b' && part.back() != 'm')) return false;
  part.remove_suffix(1);
  if (const auto cross = part.find('x'); cross != std::string_view::npos) {
    if (!all_digits(part.substr(0, cross))) return false;
    part.remove_prefix(cross + 1);
  }
  const auto point = part.find('.');
  if (point == std::string_view::npos) return all_digits(part);
  return all_digits(part.substr(0, point)) && all_digits(part.substr(point + 1));
}

/// "q4_0", "q5_k_m", "iq2_xs".
bool is_quantization(std::string_view part) {
  if (std::ranges::find(quantizations, part) != quantizations.end()) return true;
  if (part.starts_with('i')) part.remove_prefix(1);
  return part.size() >= 4 && part[0] == 'q' && part[1] >= '1' && part[1] <= '8' && part[2] == '_';
}

/// "128k": at least that many tokens, whatever a thousand is to its maker.
std::optional<std::int64_t> context_in(std::string_view part) {
  if (part.size() < 2) return std::nullopt;
  const bool thousands = part.back() == 'k';
  part.remove_suffix(1);
  if (!thousands || part.size() > 4 || !all_digits(part)) return std::nullopt;
  std::int64_t number = 0;
  std::from_chars(part.data(), part.data() + part.size(), number);
  return number >= 4 ? std::optional(number * 1'000) : std::nullopt;
}

void has(Inferred& inferred, std::string_view capability, const std::string& rule) {
  if (capability.empty()) return;
  inferred.capabilities[std::string(capability)] = true;
  inferred.rules.emplace(fmt::format("capabilities.{}", capability), rule);
}

void apply_family(Inferred& inferred, std::string_view name) {
  for (const auto& rule : family_rules) {
    if (!name.starts_with(rule.prefix)) continue;
    const auto rule_name = fmt::format("family:{}", rule.prefix);
    inferred.family = rule.family;
    inferred.rules["family"] = rule_name;
    if (rule.context > 0) {
      inferred.context_window = rule.context;
      inferred.rules["contextWindow"] = rule_name;
    }
    has(inferred, rule.capability, rule_name);
    has(inferred, rule.other_capability, rule_name);
    return;
  }
}

void apply_part(Inferred& inferred, std::string_view part) {
  if (inferred.parameter_size.empty() && is_size(part)) {
    inferred.parameter_size = upper(part);
    std::ranges::replace(inferred.parameter_size, 'X', 'x');
    inferred.rules["parameterSize"] = "name:size";
  }
  if (inferred.quantization.empty() && is_quantization(part)) {
    inferred.quantization = upper(part);
    inferred.rules["quantization"] = "name:quantization";
  }
  if (const auto context = context_in(part)) {
    inferred.context_window = context;
    inferred.rules["contextWindow"] = "name:context";
  }
  for (const auto& rule : word_rules)
    if (part == rule.word) has(inferred, rule.capability, fmt::format("word:{}", rule.word));
}

}  // namespace

Inferred infer(std::string_view model_name) {
  Inferred inferred;
  const auto name = lower(model_name);
  // "meta-llama/Llama-3.1-8B": the maker comes before the name.
  const std::string_view all = name;
  const auto slash = all.rfind('/');
  const auto own = slash == std::string_view::npos ? all : all.substr(slash + 1);
  apply_family(inferred, own);
  for (const auto part : parts_of(own)) apply_part(inferred, part);
  return inferred;
}

std::string to_json(const Inferred& inferred) {
  std::string json = "{";
  const auto member = [&](std::string_view name) {
    if (json.size() > 1) json += ',';
    append_quoted(json, name);
    json += ':';
  };
  const auto text = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    member(name);
    append_quoted(json, value);
  };
  const auto object = [&](std::string_view name, const auto& entries, const auto& word) {
    if (entries.empty()) return;
    member(name);
    std::string inner = "{";
    for (const auto& [key, value] : entries) {
      if (inner.size() > 1) inner += ',';
      append_quoted(inner, key);
      inner += ':';
      append_quoted(inner, word(value));
    }
    json += inner + "}";
  };
  text("family", inferred.family);
  text("parameterSize", inferred.parameter_size);
  text("quantization", inferred.quantization);
  if (inferred.context_window) {
    member("contextWindow");
    json += fmt::format("{}", *inferred.context_window);
  }
  object("capabilities", inferred.capabilities, [](bool) { return std::string_view("supported"); });
  object("rules", inferred.rules, [](const std::string& rule) { return std::string_view(rule); });
  return json + "}";
}

}  // namespace tokenrail::catalog
