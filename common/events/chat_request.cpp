#include "common/events/chat_request.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "common/events/json_document.hpp"
#include "common/events/json_scan.hpp"
#include "common/events/request_reader.hpp"

namespace tokenrail::events {
namespace {

using simdjson::dom::element;

constexpr std::int64_t integer_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t integer_min = std::numeric_limits<std::int64_t>::min();

/// Why an id cannot be used, or nothing.
std::optional<std::string> id_problem(std::string_view name, const std::optional<std::string_view>& id,
                                      const RequestLimits& limits) {
  if (!id) {
    return fmt::format("`{}` is missing or not a string", name);
  }
  if (id->empty()) {
    return fmt::format("`{}` is empty", name);
  }
  if (id->size() > limits.id_bytes_max) {
    return fmt::format("`{}` has {} bytes; at most {} are allowed", name, id->size(), limits.id_bytes_max);
  }
  return std::nullopt;
}

/// For what the fast parser does not take: an answer where the text is JSON with its ids.
ParsedRequest answer_by_scan(std::string_view text, const RequestLimits& limits, std::string_view problem_of_valid) {
  const auto scan = scan_json(text, {"requestId", "orgId", "userId"});
  if (!scan.valid) {
    return Unanswerable{fmt::format("the value is not JSON: at byte {} {} was expected", scan.position, scan.problem)};
  }
  if (!scan.object) {
    return Unanswerable{"the value is JSON, but not an object"};
  }
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    return Unanswerable{"the value is not valid UTF-8"};
  }

  std::array<std::optional<std::string>, 3> ids;
  for (std::size_t index = 0; index < ids.size(); ++index) {
    // An id may be six times its size when written with escapes; what is longer need not be decoded to be too long.
    const auto& raw = scan.fields[index];
    if (raw && raw->size() <= 6 * limits.id_bytes_max + 2) {
      ids[index] = decode_json_string(*raw);
    }
  }
  for (const auto& [name, id] : {std::pair("requestId", ids[0]), std::pair("orgId", ids[1])}) {
    if (auto problem = id_problem(name, id, limits)) {
      return Unanswerable{std::move(*problem)};
    }
  }
  const bool user_usable = ids[2] && !id_problem("userId", ids[2], limits);
  const auto what = scan.depth > limits.depth_max
                        ? fmt::format(
                              "The request holds {} arrays and objects inside each other; at most {} are "
                              "allowed. Flatten it and send the request again with a new requestId.",
                              scan.depth, limits.depth_max)
                        : std::string(problem_of_valid);
  return InvalidRequest{.request_id = std::move(*ids[0]),
                        .org_id = std::move(*ids[1]),
                        .user_id = user_usable ? std::move(*ids[2]) : std::string(),
                        .failure = Failure::of(ErrorCode::invalid_request, what)};
}

/// {modelProvider?, modelName} or "provider/model"; without a slash the text is an alias.
std::optional<ModelReference> read_fallback(element source, const FieldPath& path, const RequestLimits& limits,
                                            Findings& findings) {
  ModelReference reference;
  if (source.is_string()) {
    const auto text = read_name(source, path, 2 * limits.name_bytes_max + 1, findings);
    if (!text) {
      return std::nullopt;
    }
    const auto slash = text->find('/');
    if (slash == std::string::npos) {
      return ModelReference{.provider = {}, .name = *text};
    }
    reference = {.provider = text->substr(0, slash), .name = text->substr(slash + 1)};
    if (reference.provider.empty() || reference.name.empty()) {
      findings.wrong(path, "\"provider/model\" with both parts", "lacks one of them");
    }
    return reference;
  }
  if (!source.is_object()) {
    findings.wrong(path, "\"provider/model\" or an object with modelProvider and modelName", source);
    return std::nullopt;
  }
  for_each_field(source.get_object().value_unsafe(), findings, [&](std::string_view name, element value) {
    if (name != "modelProvider" && name != "modelName") {
      return false;
    }
    if (value.is_null()) {
      return true;
    }
    auto& target = name == "modelName" ? reference.name : reference.provider;
    target = read_name(value, path / name, limits.name_bytes_max, findings).value_or("");
    return true;
  });
  if (reference.name.empty()) {
    findings.wrong(path / "modelName", "a string that is not empty", "is missing");
  }
  return reference;
}

std::optional<ToolChoice> read_tool_choice(element source, const RequestLimits& limits, Findings& findings) {
  const FieldPath path("toolChoice");
  constexpr std::string_view expected = "\"auto\", \"none\", \"required\" or an object with the name of a tool";
  if (const auto text = string_of(source)) {
    if (*text == "auto") {
      return ToolChoice{.mode = ToolChoice::Mode::automatic};
    }
    if (*text == "none") {
      return ToolChoice{.mode = ToolChoice::Mode::none};
    }
    if (*text == "required") {
      return ToolChoice{.mode = ToolChoice::Mode::required};
    }
    findings.wrong(path, expected, "is another string");
    return std::nullopt;
  }
  if (!source.is_object()) {
    findings.wrong(path, expected, source);
    return std::nullopt;
  }
  ToolChoice choice{.mode = ToolChoice::Mode::named};
  for_each_field(source.get_object().value_unsafe(), findings, [&](std::string_view name, element value) {
    if (name != "name") {
      return false;
    }
    choice.name = read_name(value, path / name, limits.name_bytes_max, findings).value_or("");
    return true;
  });
  if (choice.name.empty()) {
    findings.wrong(path / "name", "the name of a tool", "is missing");
  }
  return choice;
}

std::optional<ResponseFormat> read_response_format(element source, Findings& findings) {
  const FieldPath path("responseFormat");
  constexpr std::string_view expected = "\"text\", \"json\" or an object of type json_schema with its schema";
  std::string type;
  ResponseFormat format;
  if (const auto text = string_of(source)) {
    type = *text;
  } else if (source.is_object()) {
    for_each_field(source.get_object().value_unsafe(), findings, [&](std::string_view name, element value) {
      if (name == "type") {
        type = read_string(value, path / name, findings).value_or("");
      } else if (name == "schema") {
        if (value.is_null()) {
          return true;
        }
        if (read_object(value, path / name, findings)) {
          format.schema = simdjson::minify(value);
        }
      } else {
        return false;
      }
      return true;
    });
  } else {
    findings.wrong(path, expected, source);
  }
  if (!findings.ok()) {
    return std::nullopt;
  }
  if (type == "text") {
    format.kind = ResponseFormat::Kind::text;
  } else if (type == "json") {
    format.kind = ResponseFormat::Kind::json;
  } else if (type != "json_schema") {
    findings.wrong(path, expected, "is none of these");
  } else if (format.schema.empty()) {
    findings.wrong(path / "schema", "a JSON Schema as an object", "is missing");
  } else {
    format.kind = ResponseFormat::Kind::json_schema;
  }
  if (format.kind != ResponseFormat::Kind::json_schema) {
    format.schema.clear();
  }
  return format;
}

constexpr std::string_view efforts[] = {"none", "minimal", "low", "medium", "high", "xhigh", "max"};

std::string read_effort(element source, const FieldPath& path, std::string_view expected, Findings& findings) {
  const auto text = string_of(source);
  if (text && std::ranges::find(efforts, *text) != std::ranges::end(efforts)) {
    return std::string(*text);
  }
  if (text) {
    findings.wrong(path, expected, "is another string");
  } else {
    findings.wrong(path, expected, source);
  }
  return {};
}

std::optional<Reasoning> read_reasoning(element source, Findings& findings) {
  const FieldPath path("reasoning");
  Reasoning reasoning;
  if (source.is_bool()) {
    reasoning.enabled = source.get_bool().value_unsafe();
  } else if (source.is_object()) {
    for_each_field(source.get_object().value_unsafe(), findings, [&](std::string_view name, element value) {
      if (name != "enabled" && name != "effort" && name != "maxTokens") {
        return false;
      }
      if (value.is_null()) {
        return true;
      }
      if (name == "enabled") {
        reasoning.enabled = read_bool(value, path / name, findings);
      }
      if (name == "effort") {
        reasoning.effort = read_effort(value, path / name, "none, minimal, low, medium, high, xhigh or max", findings);
      }
      if (name == "maxTokens") {
        reasoning.tokens_max = read_integer(value, path / name, 1, integer_max, findings);
      }
      return true;
    });
  } else {
    reasoning.effort = read_effort(
        source, path, "true, false, an object or one of none, minimal, low, medium, high, xhigh, max", findings);
  }
  return reasoning;
}

std::map<std::string, std::string> read_provider_config(element source, const RequestLimits& limits,
                                                        Findings& findings) {
  std::map<std::string, std::string> config;
  const FieldPath path("providerConfig");
  const auto object = read_object(source, path, findings);
  if (!object) {
    return config;
  }
  for_each_field(*object, findings, [&](std::string_view name, element value) {
    if (name.empty() || name.size() > limits.name_bytes_max) {
      findings.wrong(path, "an object whose keys are names of providers", "has a key that is empty or too long");
    } else if (value.is_null()) {
      config.erase(std::string(name));
    } else if (read_object(value, path / name, findings)) {
      config[std::string(name)] = simdjson::minify(value);
    }
    return true;
  });
  return config;
}

/// Strings are kept, numbers and booleans become text; what has parts of its own is left out and counted.
std::map<std::string, std::string> read_metadata(element source, const RequestLimits& limits, Findings& findings) {
  std::map<std::string, std::string> metadata;
  const FieldPath path("metadata");
  const auto object = read_object(source, path, findings);
  if (!object) {
    return metadata;
  }
  for_each_field(*object, findings, [&](std::string_view name, element value) {
    if (value.is_array() || value.is_object()) {
      return false;
    }
    if (name.size() > limits.name_bytes_max) {
      findings.wrong(path, fmt::format("an object whose keys have at most {} bytes", limits.name_bytes_max),
                     fmt::format("has one of {}", name.size()));
    } else if (value.is_null()) {
      metadata.erase(std::string(name));
    } else {
      const auto text = string_of(value);
      metadata[std::string(name)] = text ? std::string(*text) : std::string(simdjson::minify(value));
    }
    return true;
  });
  if (metadata.size() > limits.metadata_max) {
    findings.wrong(path, fmt::format("an object of at most {} fields", limits.metadata_max),
                   fmt::format("has {}", metadata.size()));
  }
  return metadata;
}

/// One string, or a list of strings; none may be empty.
std::vector<std::string> read_stop(element source, const RequestLimits& limits, Findings& findings) {
  std::vector<std::string> stop;
  const FieldPath path("stop");
  constexpr std::size_t bytes_max = 4096;
  if (source.is_string()) {
    if (auto text = read_name(source, path, bytes_max, findings)) {
      stop.push_back(std::move(*text));
    }
    return stop;
  }
  if (!source.is_array()) {
    findings.wrong(path, "a string or an array of strings", source);
    return stop;
  }
  const auto array = read_array(source, path, limits.stop_max, findings);
  if (!array) {
    return stop;
  }
  std::size_t index = 0;
  for (const auto entry : *array) {
    if (auto text = read_name(entry, path[index++], bytes_max, findings)) {
      stop.push_back(std::move(*text));
    }
  }
  return stop;
}

OnInterrupt read_on_interrupt(element source, Findings& findings) {
  const FieldPath path("onInterrupt");
  constexpr std::string_view expected = "\"error\", \"restart\" or \"continue\"";
  const auto text = string_of(source);
  if (text == "restart") {
    return OnInterrupt::restart;
  }
  if (text == "continue") {
    return OnInterrupt::resume;
  }
  if (text && *text != "error") {
    findings.wrong(path, expected, "is another string");
  }
  if (!text) {
    findings.wrong(path, expected, source);
  }
  return OnInterrupt::error;
}

/// Reads the fields of one request; members are what has to be judged together at the end.
class RequestReader {
 public:
  RequestReader(ChatRequest& request, const RequestLimits& limits, Findings& findings)
      : request_(request), limits_(limits), findings_(findings) {}

  void read(simdjson::dom::object object) {
    for_each_field(object, findings_, [this](std::string_view name, element value) { return take(name, value); });
    if (findings_.ok()) {
      check();
    }
  }

 private:
  bool take(std::string_view name, element value) {
    const FieldPath path{std::string(name)};
    // An explicit null leaves the field as it would be without it. (The ids have been read before.)
    const bool null = value.is_null();
    if (name == "requestId" || name == "orgId") {
    } else if (name == "userId") {
      request_.user_id.clear();
      if (!null) {
        request_.user_id = read_name(value, path, limits_.id_bytes_max, findings_).value_or("");
      }
    } else if (name == "modelProvider" || name == "modelName") {
      auto& target = name == "modelName" ? model_name_ : model_provider_;
      target.clear();
      if (!null) {
        target = read_name(value, path, limits_.name_bytes_max, findings_).value_or("");
      }
    } else if (name == "groups") {
      request_.groups.clear();
      if (!null) {
        request_.groups = read_groups(value, limits_, findings_);
      }
    } else if (name == "auto") {
      request_.auto_selection = null ? AutoSelection{} : read_auto_selection(value, limits_, findings_);
    } else if (name == "messages") {
      has_messages_ = true;
      request_.messages = read_messages(value, limits_, findings_);
    } else if (name == "stream") {
      request_.stream = null || read_bool(value, path, findings_).value_or(true);
    } else if (name == "tools") {
      request_.tools.clear();
      if (!null) {
        request_.tools = read_tools(value, limits_, findings_);
      }
    } else if (name == "fallbacks") {
      request_.fallbacks.clear();
      if (!null) {
        take_fallbacks(value, path);
      }
    } else if (name == "providerConfig") {
      request_.provider_config.clear();
      if (!null) {
        request_.provider_config = read_provider_config(value, limits_, findings_);
      }
    } else if (name == "metadata") {
      request_.metadata.clear();
      if (!null) {
        request_.metadata = read_metadata(value, limits_, findings_);
      }
    } else if (name == "stop") {
      request_.stop.clear();
      if (!null) {
        request_.stop = read_stop(value, limits_, findings_);
      }
    } else if (name == "onInterrupt") {
      request_.on_interrupt = null ? OnInterrupt::error : read_on_interrupt(value, findings_);
    } else {
      return take_parameter(name, value, path);
    }
    return true;
  }

  bool take_parameter(std::string_view name, element value, const FieldPath& path) {
    const bool null = value.is_null();
    const auto number = [&](std::optional<double>& target, double max) {
      target = null ? std::nullopt : read_number(value, path, 0.0, max, findings_);
    };
    const auto whole = [&](std::optional<std::int64_t>& target, std::int64_t min) {
      target = null ? std::nullopt : read_integer(value, path, min, integer_max, findings_);
    };
    if (name == "temperature") {
      number(request_.temperature, 2.0);
    } else if (name == "topP") {
      number(request_.top_p, 1.0);
    } else if (name == "topK") {
      whole(request_.top_k, 1);
    } else if (name == "maxTokens") {
      whole(request_.tokens_max, 1);
    } else if (name == "seed") {
      whole(request_.seed, integer_min);
    } else if (name == "timeoutMs") {
      request_.timeout.reset();
      if (null) {
        return true;
      }
      const auto ms = read_integer(value, path, 1, limits_.timeout_max.count(), findings_);
      if (ms) {
        request_.timeout = std::chrono::milliseconds(*ms);
      }
    } else if (name == "toolChoice") {
      request_.tool_choice = null ? std::nullopt : read_tool_choice(value, limits_, findings_);
    } else if (name == "responseFormat") {
      request_.response_format = null ? std::nullopt : read_response_format(value, findings_);
    } else if (name == "reasoning") {
      request_.reasoning = null ? std::nullopt : read_reasoning(value, findings_);
    } else {
      return false;
    }
    return true;
  }

  void take_fallbacks(element value, const FieldPath& path) {
    const auto array = read_array(value, path, limits_.fallbacks_max, findings_);
    if (!array) {
      return;
    }
    std::size_t index = 0;
    for (const auto entry : *array) {
      if (!findings_.ok()) {
        return;
      }
      if (auto model = read_fallback(entry, path[index++], limits_, findings_)) {
        request_.fallbacks.push_back(std::move(*model));
      }
    }
  }

  void check() {
    if (!has_messages_ || request_.messages.empty()) {
      findings_.wrong(FieldPath("messages"), "an array of at least one message",
                      has_messages_ ? "is empty" : "is missing");
    }
    if (model_name_.empty() && !model_provider_.empty()) {
      findings_.wrong(FieldPath("modelName"), "given where modelProvider is", "is missing");
    }
    if (!model_name_.empty()) {
      request_.model = ModelReference{.provider = std::move(model_provider_), .name = std::move(model_name_)};
    }
    if (const auto& choice = request_.tool_choice) {
      if (choice->mode == ToolChoice::Mode::required && request_.tools.empty()) {
        findings_.wrong(FieldPath("toolChoice"), "\"auto\" or \"none\" where there are no tools", "is \"required\"");
      }
      if (choice->mode == ToolChoice::Mode::named &&
          std::ranges::find(request_.tools, choice->name, &Tool::name) == request_.tools.end()) {
        findings_.wrong(FieldPath("toolChoice.name"), "the name of one of the tools of this request", "is not");
      }
    }
  }

  ChatRequest& request_;
  const RequestLimits& limits_;
  Findings& findings_;
  std::string model_provider_;
  std::string model_name_;
  bool has_messages_ = false;
};

}  // namespace

ParsedRequest parse_chat_request(std::optional<std::string_view> value, const RequestLimits& limits) {
  if (!value) {
    return Unanswerable{"the record has no value"};
  }
  if (value->starts_with("\xEF\xBB\xBF")) {
    value->remove_prefix(3);
  }  // some senders cannot leave the mark out
  if (value->size() > limits.value_bytes_max) {
    return answer_by_scan(*value, limits,
                          fmt::format("The request has {} bytes; at most {} are allowed. Shorten it, for example by "
                                      "sending fewer messages or smaller images, and send it again with a new "
                                      "requestId.",
                                      value->size(), limits.value_bytes_max));
  }
  const JsonDocument document(*value, limits.depth_max);
  if (document.error() != simdjson::SUCCESS) {
    return answer_by_scan(*value, limits,
                          "The request holds a number that no 64 bits can express. Shorten the number, or send it as "
                          "a string, and send the request again with a new requestId.");
  }
  simdjson::dom::object object;
  if (document.root().get_object().get(object) != simdjson::SUCCESS) {
    return Unanswerable{fmt::format("the value is {}, not an object", kind_of(document.root()))};
  }

  // The ids first: whatever else is wrong is answered to them.
  std::optional<std::string_view> request_id;
  std::optional<std::string_view> org_id;
  std::optional<std::string_view> user_id;
  for (const auto field : object) {
    if (field.key == "requestId") {
      request_id = string_of(field.value);
    }
    if (field.key == "orgId") {
      org_id = string_of(field.value);
    }
    if (field.key == "userId") {
      user_id = string_of(field.value);
    }
  }
  for (const auto& [name, id] : {std::pair("requestId", request_id), std::pair("orgId", org_id)}) {
    if (auto problem = id_problem(name, id, limits)) {
      return Unanswerable{std::move(*problem)};
    }
  }

  ChatRequest request;
  request.request_id = *request_id;
  request.org_id = *org_id;
  request.value_bytes = value->size();
  Findings findings;
  RequestReader(request, limits, findings).read(object);
  if (findings.failure) {
    const bool user_usable = user_id && !id_problem("userId", user_id, limits);
    return InvalidRequest{.request_id = std::move(request.request_id),
                          .org_id = std::move(request.org_id),
                          .user_id = std::string(user_usable ? *user_id : std::string_view()),
                          .failure = std::move(*findings.failure)};
  }
  request.unknown_fields = findings.unknown_fields;
  return request;
}

}  // namespace tokenrail::events
