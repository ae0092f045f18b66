#include "cli/record_text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "cli/terminal.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::cli {

std::string record_line(const kafka::Record& record) {
  // One record, one line: a value that was written over several lines is joined.
  std::string value = record.value ? without_controls(*record.value) : "(tombstone)";
  std::ranges::replace(value, '\n', ' ');
  return fmt::format("{}:{}  {}  {}", record.partition, record.offset,
                     record.key ? without_controls(*record.key) : "(no key)", value);
}

std::string record_json(const kafka::Record& record) {
  std::string line;
  events::JsonWriter json(line);
  json.begin_object();
  json.field("topic", record.topic);
  json.field("partition", static_cast<std::int64_t>(record.partition));
  json.field("offset", record.offset);
  if (record.timestamp_ms >= 0) json.field("timestamp", record.timestamp_ms);
  if (record.key)
    json.field("key", *record.key);
  else
    json.null_field("key");
  json.begin_object("headers");
  for (const auto& [name, value] : record.headers) {
    if (value)
      json.field(name, *value);
    else
      json.null_field(name);
  }
  json.end_object();
  if (!record.value) {
    json.null_field("value");
  } else {
    simdjson::dom::parser parser;
    simdjson::dom::element element;
    const simdjson::padded_string padded(*record.value);
    if (parser.parse(padded).get(element) == simdjson::SUCCESS)
      json.raw_field("value", simdjson::minify(element));
    else
      json.field("value", *record.value);
  }
  json.end_object();
  return line;
}

}  // namespace tokenrail::cli
