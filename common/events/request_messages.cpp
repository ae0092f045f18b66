// Messages and tools of a chat request.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/events/json_scan.hpp"
#include "common/events/request_reader.hpp"

namespace tokenrail::events {
namespace {

using simdjson::dom::element;

bool is_base64(std::string_view data) {
  if (data.empty() || data.size() % 4 != 0) {
    return false;
  }
  const auto padding = data.ends_with("==") ? 2U : data.ends_with("=") ? 1U : 0U;
  data.remove_suffix(padding);
  return std::ranges::all_of(data, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  });
}

/// data:image/png;base64,AAAA into media type and data; parameters between the two are dropped.
void take_data_url(std::string_view url, ContentPart& part, const FieldPath& path, Findings& findings) {
  constexpr std::string_view expected = "bare base64, or a data: URL in base64 such as data:image/png;base64,…";
  const auto comma = url.find(',');
  const auto head = url.substr(0, comma);
  if (comma == std::string_view::npos || !head.ends_with(";base64")) {
    findings.wrong(path, expected, "is a data: URL of another form");
    return;
  }
  const auto media_type = head.substr(5, head.find(';') - 5);
  if (part.media_type.empty()) {
    part.media_type = media_type;
  }
  part.data = url.substr(comma + 1);
}

/// Types whose content is data or a URL.
bool is_media(std::string_view type) {
  return type == "image" || type == "file" || type == "audio";
}

void finish_media(ContentPart& part, const FieldPath& path, Findings& findings) {
  // Either field may hold a data: URL; after this `data` is bare base64 and `url` is remote.
  if (part.url.starts_with("data:") && part.data.empty()) {
    const std::string url = std::exchange(part.url, {});
    take_data_url(url, part, path / "url", findings);
  } else if (part.data.starts_with("data:")) {
    const std::string url = std::exchange(part.data, {});
    take_data_url(url, part, path / "data", findings);
  }
  if (!findings.ok()) {
    return;
  }
  if (part.data.empty() == part.url.empty()) {
    findings.wrong(path,
                   fmt::format("a part of type {} with exactly one of `data` (base64) and `url` (https)", part.type),
                   part.data.empty() ? "has neither" : "has both");
  } else if (!part.url.empty() && (!part.url.starts_with("https://") || part.url.size() == 8)) {
    findings.wrong(path / "url", "an https:// URL", "is another one");
  } else if (!part.data.empty() && !is_base64(part.data)) {
    findings.wrong(path / "data", "base64 (with padding, without line breaks) or a data: URL", "is not");
  }
}

ContentPart read_part(element source, const FieldPath& path, const RequestLimits& limits, Findings& findings) {
  ContentPart part;
  const auto object = read_object(source, path, findings);
  if (!object) {
    return part;
  }
  bool has_text = false;
  part.type.clear();
  const auto take = [&](std::string_view name, element value, std::string& target) {
    if (value.is_null()) {
      return;
    }
    if (auto text = read_string(value, path / name, findings)) {
      target = std::move(*text);
    }
  };
  // What a type that is not known here needs cannot be judged: its fields are read only once the type is.
  element type;
  if (object->at_key("type").get(type) == simdjson::SUCCESS) {
    part.type = read_name(type, path / "type", limits.name_bytes_max, findings).value_or("");
  } else {
    findings.wrong(path / "type", "\"text\", \"image\", \"file\" or \"audio\"", "is missing");
  }
  if (!findings.ok() || (part.type != "text" && !is_media(part.type))) {
    return part;
  }
  for_each_field(*object, findings, [&](std::string_view name, element value) {
    if (name == "type") {
      return true;
    }
    if (part.type == "text" && name == "text") {
      has_text = !value.is_null();
      take(name, value, part.text);
      return true;
    }
    if (!is_media(part.type)) {
      return false;
    }
    if (name == "data") {
      take(name, value, part.data);
    } else if (name == "url") {
      take(name, value, part.url);
    } else if (name == "mediaType") {
      take(name, value, part.media_type);
    } else if (name == "filename" && part.type != "image") {
      take(name, value, part.filename);
    } else {
      return false;
    }
    return true;
  });
  if (!findings.ok()) {
    return part;
  }
  if (part.type == "text" && !has_text) {
    findings.wrong(path / "text", "a string", "is missing");
  }
  if (is_media(part.type)) {
    finish_media(part, path, findings);
  }
  return part;
}

std::vector<ContentPart> read_content(element source, const FieldPath& path, const RequestLimits& limits,
                                      Findings& findings) {
  std::vector<ContentPart> parts;
  if (const auto text = string_of(source)) {
    parts.push_back(ContentPart{.type = "text", .text = std::string(*text)});
    return parts;
  }
  if (!source.is_array()) {
    findings.wrong(path, "a string or an array of parts", source);
    return parts;
  }
  std::size_t index = 0;
  for (const auto part : simdjson::dom::array(source.get_array().value_unsafe())) {
    if (!findings.ok()) {
      return parts;
    }
    parts.push_back(read_part(part, path[index++], limits, findings));
  }
  return parts;
}

/// A JSON document as text, or as the object itself.
std::string read_arguments(element source, const FieldPath& path, Findings& findings) {
  if (source.is_object()) {
    return simdjson::minify(source);
  }
  const auto text = read_string(source, path, findings);
  if (!text) {
    return {};
  }
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
    return "{}";
  }  // a call without arguments
  if (!scan_json(*text).valid) {
    findings.wrong(path, "an object, or a string that holds JSON", "is other text");
  }
  return *text;
}

ToolCall read_tool_call(element source, const FieldPath& path, const RequestLimits& limits, Findings& findings) {
  ToolCall call{.id = {}, .name = {}, .arguments = "{}"};
  const auto object = read_object(source, path, findings);
  if (!object) {
    return call;
  }
  for_each_field(*object, findings, [&](std::string_view name, element value) {
    if (name == "id") {
      if (!value.is_null()) {
        call.id = read_name(value, path / name, limits.id_bytes_max, findings).value_or("");
      }
    } else if (name == "name") {
      call.name = read_name(value, path / name, limits.name_bytes_max, findings).value_or("");
    } else if (name == "arguments") {
      if (!value.is_null()) {
        call.arguments = read_arguments(value, path / name, findings);
      }
    } else {
      return false;
    }
    return true;
  });
  if (call.id.empty()) {
    findings.wrong(path / "id", "a string that is not empty", "is missing");
  }
  if (call.name.empty()) {
    findings.wrong(path / "name", "a string that is not empty", "is missing");
  }
  return call;
}

ProviderBlock read_provider_block(element source, const FieldPath& path, const RequestLimits& limits,
                                  Findings& findings) {
  ProviderBlock block;
  const auto object = read_object(source, path, findings);
  if (!object) {
    return block;
  }
  for_each_field(*object, findings, [&](std::string_view name, element value) {
    if (name == "provider") {
      block.provider = read_name(value, path / name, limits.name_bytes_max, findings).value_or("");
    } else if (name == "data") {
      if (value.is_object() || value.is_array()) {
        block.data = simdjson::minify(value);
      } else {
        findings.wrong(path / name, "an object or an array", value);
      }
    } else {
      return false;
    }
    return true;
  });
  if (block.provider.empty()) {
    findings.wrong(path / "provider", "the name of the provider that sent the block", "is missing");
  }
  if (block.data.empty()) {
    findings.wrong(path / "data", "an object or an array", "is missing");
  }
  return block;
}

std::optional<Role> read_role(element source, const FieldPath& path, Findings& findings) {
  constexpr std::array<std::pair<std::string_view, Role>, 4> roles{
      {{"system", Role::system}, {"user", Role::user}, {"assistant", Role::assistant}, {"tool", Role::tool}}};
  constexpr std::string_view expected = "one of system, user, assistant, tool";
  const auto text = string_of(source);
  if (!text) {
    findings.wrong(path, expected, source);
    return std::nullopt;
  }
  const auto found = std::ranges::find(roles, *text, [](const auto& entry) { return entry.first; });
  if (found == roles.end()) {
    findings.wrong(path, expected, "is another string");
    return std::nullopt;
  }
  return found->second;
}

/// What one field cannot say alone.
void check_message(const Message& message, bool has_role, const FieldPath& path, Findings& findings) {
  if (!has_role) {
    findings.wrong(path / "role", "one of system, user, assistant, tool", "is missing");
  } else if (message.role == Role::tool && message.tool_call_id.empty()) {
    findings.wrong(path / "toolCallId", "the id of the call that this message answers (role tool)", "is missing");
  } else if (message.role != Role::assistant && !message.tool_calls.empty()) {
    findings.wrong(path / "toolCalls", "absent, except in a message of role assistant", "is there");
  } else if (message.role != Role::assistant && !message.provider_blocks.empty()) {
    findings.wrong(path / "providerBlocks", "absent, except in a message of role assistant", "is there");
  } else if (message.content.empty() && message.tool_calls.empty()) {
    findings.wrong(path / "content", "a string or an array of at least one part", "is missing");
  }
}

/// Calls `read(entry, its path)` for the entries of an array until one is wrong.
template <class Read>
void read_entries(element source, const FieldPath& path, std::size_t size_max, Findings& findings, Read read) {
  const auto entries = read_array(source, path, size_max, findings);
  if (!entries) {
    return;
  }
  std::size_t index = 0;
  for (const auto entry : *entries) {
    if (!findings.ok()) {
      return;
    }
    read(entry, path[index++]);
  }
}

Message read_message(element source, const FieldPath& path, const RequestLimits& limits, Findings& findings) {
  Message message;
  const auto object = read_object(source, path, findings);
  if (!object) {
    return message;
  }
  bool has_role = false;
  const auto take = [&](std::string_view name, element value, std::string& target) {
    target.clear();
    if (value.is_null()) {
      return;
    }
    if (auto text = read_string(value, path / name, findings)) {
      target = std::move(*text);
    }
  };
  for_each_field(*object, findings, [&](std::string_view name, element value) {
    if (name == "role") {
      if (const auto role = read_role(value, path / name, findings)) {
        message.role = *role;
        has_role = true;
      }
    } else if (name == "content") {
      message.content.clear();
      if (!value.is_null()) {
        message.content = read_content(value, path / name, limits, findings);
      }
    } else if (name == "toolCalls") {
      message.tool_calls.clear();
      if (value.is_null()) {
        return true;
      }
      read_entries(value, path / name, limits.tools_max, findings, [&](element call, const FieldPath& place) {
        message.tool_calls.push_back(read_tool_call(call, place, limits, findings));
      });
    } else if (name == "providerBlocks") {
      message.provider_blocks.clear();
      if (value.is_null()) {
        return true;
      }
      read_entries(value, path / name, limits.provider_blocks_max, findings,
                   [&](element block, const FieldPath& place) {
                     message.provider_blocks.push_back(read_provider_block(block, place, limits, findings));
                   });
    } else if (name == "toolCallId") {
      take(name, value, message.tool_call_id);
    } else if (name == "name") {
      take(name, value, message.name);
    } else if (name == "reasoning") {
      take(name, value, message.reasoning);
    } else {
      return false;
    }
    return true;
  });
  check_message(message, has_role, path, findings);
  return message;
}

Tool read_tool(element source, const FieldPath& path, const RequestLimits& limits, Findings& findings) {
  Tool tool;
  const auto object = read_object(source, path, findings);
  if (!object) {
    return tool;
  }
  // {type: "function", function: {…}} is how most senders hold their tools already.
  element function;
  if (object->at_key("function").get(function) == simdjson::SUCCESS && function.is_object()) {
    for_each_field(*object, findings,
                   [](std::string_view name, element) { return name == "function" || name == "type"; });
    return read_tool(function, path / "function", limits, findings);
  }
  for_each_field(*object, findings, [&](std::string_view name, element value) {
    if (name == "name") {
      tool.name = read_name(value, path / name, limits.name_bytes_max, findings).value_or("");
    } else if (name == "description") {
      if (!value.is_null()) {
        tool.description = read_string(value, path / name, findings).value_or("");
      }
    } else if (name == "parameters") {
      tool.parameters.clear();
      if (value.is_null()) {
        return true;
      }
      if (read_object(value, path / name, findings)) {
        tool.parameters = simdjson::minify(value);
      }
    } else {
      return false;
    }
    return true;
  });
  if (tool.name.empty()) {
    findings.wrong(path / "name", "a string that is not empty", "is missing");
  }
  return tool;
}

}  // namespace

std::vector<Message> read_messages(element source, const RequestLimits& limits, Findings& findings) {
  std::vector<Message> messages;
  const FieldPath path("messages");
  const auto array = read_array(source, path, limits.messages_max, findings);
  if (!array) {
    return messages;
  }
  messages.reserve(array->size());
  std::size_t index = 0;
  for (const auto message : *array) {
    if (!findings.ok()) {
      break;
    }
    messages.push_back(read_message(message, path[index++], limits, findings));
  }
  return messages;
}

std::vector<Tool> read_tools(element source, const RequestLimits& limits, Findings& findings) {
  std::vector<Tool> tools;
  const FieldPath path("tools");
  const auto array = read_array(source, path, limits.tools_max, findings);
  if (!array) {
    return tools;
  }
  std::size_t index = 0;
  for (const auto entry : *array) {
    if (!findings.ok()) {
      break;
    }
    auto tool = read_tool(entry, path[index], limits, findings);
    if (findings.ok() && std::ranges::find(tools, tool.name, &Tool::name) != tools.end()) {
      findings.wrong(path[index] / "name", "another name than that of the tools before it", "appears twice");
    }
    tools.push_back(std::move(tool));
    ++index;
  }
  return tools;
}

}  // namespace tokenrail::events
