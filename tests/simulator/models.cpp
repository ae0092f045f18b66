#include "tests/simulator/models.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_writer.hpp"
#include "tests/simulator/sha256.hpp"

namespace tokenrail::simulator {

namespace {

namespace dom = simdjson::dom;

void write_details(events::JsonWriter& json, const Model& model) {
  json.begin_object("details");
  json.field("parent_model", "");
  json.field("format", "gguf");
  json.field("family", model.family);
  json.begin_array("families");
  json.element(model.family);
  json.end_array();
  json.field("parameter_size", model.parameter_size);
  json.field("quantization_level", model.quantization);
  json.end_object();
}

Result<Model> model_from(const dom::element& element) {
  Model model;
  std::string_view text;
  if (element.get_string().get(text) == simdjson::SUCCESS) {
    model.name = text;
    model.digest = sha256_hex(model.name);
    return model;
  }
  dom::object object;
  if (element.get_object().get(object) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, "simulator: a model is a name or an object with a name");
  }
  struct TextKey {
    std::string_view key;
    std::string Model::* field;
  };
  constexpr TextKey texts[] = {{"name", &Model::name},
                               {"digest", &Model::digest},
                               {"family", &Model::family},
                               {"parameterSize", &Model::parameter_size},
                               {"quantization", &Model::quantization},
                               {"modifiedAt", &Model::modified_at}};
  for (const auto& [key, value] : object) {
    const auto name = key;
    const auto* const row = std::ranges::find_if(texts, [&](const TextKey& known) { return known.key == name; });
    bool fits = true;
    if (row != std::ranges::end(texts)) {
      fits = value.get_string().get(text) == simdjson::SUCCESS;
      if (fits) model.*row->field = text;
    } else if (key == "contextLength") {
      fits = value.get_int64().get(model.context_length) == simdjson::SUCCESS;
    } else if (key == "sizeBytes") {
      fits = value.get_int64().get(model.size_bytes) == simdjson::SUCCESS;
    } else if (key == "capabilities" && value.is_null()) {
      model.capabilities_told = false;
    } else if (key == "capabilities") {
      dom::array array;
      fits = value.get_array().get(array) == simdjson::SUCCESS;
      model.capabilities.clear();
      if (fits) {
        for (const auto capability : array) {
          if (capability.get_string().get(text) == simdjson::SUCCESS) model.capabilities.emplace_back(text);
        }
      }
    } else {
      return fail(ErrorKind::invalid_input, fmt::format("simulator: a model has no key {}", key));
    }
    if (!fits) return fail(ErrorKind::invalid_input, fmt::format("simulator: the model's {} is of another type", key));
  }
  if (model.name.empty()) return fail(ErrorKind::invalid_input, "simulator: a model needs a name");
  if (model.digest.empty()) model.digest = sha256_hex(model.name);
  return model;
}

}  // namespace

bool Model::can(std::string_view capability) const {
  return !capabilities_told || std::ranges::find(capabilities, capability) != capabilities.end();
}

std::vector<Model> default_models() {
  auto models = models_named("sim-chat:1b,sim-think:1b");
  models[1].capabilities = {"completion", "tools", "thinking", "vision"};
  return models;
}

std::vector<Model> models_named(std::string_view names) {
  std::vector<Model> models;
  while (!names.empty()) {
    const auto comma = names.find(',');
    if (const auto name = names.substr(0, comma); !name.empty()) {
      Model model;
      model.name = name;
      model.digest = sha256_hex(name);
      models.push_back(std::move(model));
    }
    names = comma == std::string_view::npos ? "" : names.substr(comma + 1);
  }
  return models;
}

Result<std::vector<Model>> models_from_json(std::string_view json) {
  dom::parser parser;
  dom::array array;
  if (parser.parse(json.data(), json.size()).get_array().get(array) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, "simulator: models are a JSON array");
  }
  std::vector<Model> models;
  for (const auto element : array) {
    auto model = model_from(element);
    if (!model) return std::unexpected(model.error());
    models.push_back(std::move(*model));
  }
  return models;
}

const Model* find_model(const std::vector<Model>& models, std::string_view name) {
  const auto wanted = name.find(':') == std::string_view::npos ? std::string(name) + ":latest" : std::string(name);
  const auto found =
      std::ranges::find_if(models, [&](const Model& model) { return model.name == name || model.name == wanted; });
  return found == models.end() ? nullptr : &*found;
}

std::string tags_json(const std::vector<Model>& models) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  json.begin_array("models");
  for (const auto& model : models) {
    json.begin_object();
    json.field("name", model.name);
    json.field("model", model.name);
    json.field("modified_at", model.modified_at);
    json.field("size", model.size_bytes);
    json.field("digest", model.digest);
    write_details(json, model);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

std::string show_json(const Model& model) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  json.field("license", "");
  json.field("modelfile", "# made by the simulator\nFROM " + model.name + "\n");
  json.field("template", "{{ .Prompt }}");
  write_details(json, model);
  json.begin_object("model_info");
  json.field("general.architecture", model.family);
  json.field("general.parameter_count", std::int64_t{1'000'000'000});
  json.field(model.family + ".context_length", model.context_length);
  json.field(model.family + ".embedding_length", std::int64_t{2048});
  json.end_object();
  if (model.capabilities_told) {
    json.begin_array("capabilities");
    for (const auto& capability : model.capabilities) json.element(capability);
    json.end_array();
  }
  json.field("modified_at", model.modified_at);
  json.end_object();
  return out;
}

}  // namespace tokenrail::simulator
